//! Content in pages, each with its checksum, so that any part can be read and trusted without the rest.

use crate::fault::Fault;
use crate::format::{crc32c, u32_at};
use crate::storage::File;

pub(super) const PAGE: usize = 4096;
pub(super) const CONTENT: usize = PAGE - 4;

/// Lays content out in pages of the index of the segment with this nonce.
pub(super) fn paginate(content: &[u8], nonce: u64) -> Vec<u8> {
    let mut pages = Vec::with_capacity(content.len().div_ceil(CONTENT) * PAGE);
    for (number, chunk) in (0_u64..).zip(content.chunks(CONTENT)) {
        let start = pages.len();
        pages.extend_from_slice(chunk);
        pages.resize(start + CONTENT, 0);
        let crc = checksum(&pages[start..], number, nonce);
        pages.extend(crc.to_le_bytes());
    }
    pages
}

/// Reads content, and fails if a page that bears it is not right.
pub(super) fn read(file: &dyn File, nonce: u64, from: u64, len: usize) -> Result<Vec<u8>, Fault> {
    let mut content = Vec::with_capacity(len);
    if len == 0 {
        return Ok(content);
    }
    let first = from / CONTENT as u64;
    let count = (from + len as u64).div_ceil(CONTENT as u64) - first;
    let bytes = usize::try_from(count).ok().ok_or(Fault::Index)? * PAGE;
    let mut pages = Vec::new();
    file.read_at(first * PAGE as u64, bytes, &mut pages)?;
    if pages.len() != bytes {
        return Err(Fault::Index);
    }
    let mut skip = usize::try_from(from % CONTENT as u64).expect("less than a page");
    for (number, page) in (first..).zip(pages.chunks_exact(PAGE)) {
        if checksum(&page[..CONTENT], number, nonce) != u32_at(page, CONTENT) {
            return Err(Fault::Index);
        }
        let end = CONTENT.min(skip + len - content.len());
        content.extend_from_slice(&page[skip..end]);
        skip = 0;
    }
    Ok(content)
}

fn checksum(content: &[u8], number: u64, nonce: u64) -> u32 {
    let mut about = [0; 20];
    about[..4].copy_from_slice(&crc32c(content).to_le_bytes());
    about[4..12].copy_from_slice(&number.to_le_bytes());
    about[12..].copy_from_slice(&nonce.to_le_bytes());
    crc32c(&about)
}
