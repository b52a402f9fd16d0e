//! Laying out an index for disk.

use super::live::{Key, LiveIndex};
use super::pages::paginate;
use crate::format::header::Header;
use crate::format::{VERSION, put};

pub(super) const HEAD: usize = 160;
pub(super) const MAGIC: &[u8; 8] = b"FWINDX\r\n";
pub(super) const ANCHOR: usize = 24;
pub(super) const FEED: usize = 33;
pub(super) const ENTRY: usize = 16;

/// Keys a bucket has on average; few enough that a miss reads little, many enough that buckets take little room.
const BUCKET_KEYS: usize = 4;

/// The bytes of the index file of a segment whose file is `segment_len` long.
pub(crate) fn encode(index: &LiveIndex, header: &Header, segment_len: u64) -> Vec<u8> {
    let mut content = vec![0; HEAD];
    put(&mut content, 0, *MAGIC);
    put(&mut content, 8, VERSION.to_le_bytes());
    put(&mut content, 16, header.incarnation.to_le_bytes());
    put(&mut content, 32, header.nonce.to_le_bytes());
    put(&mut content, 40, segment_len.to_le_bytes());
    put(&mut content, 48, index.records.to_le_bytes());
    put(&mut content, 56, index.last_position.to_le_bytes());
    put(&mut content, 64, index.first_recorded_at.to_le_bytes());
    put(&mut content, 72, index.last_recorded_at.to_le_bytes());
    anchors(index, &mut content);
    feeds(index, &mut content);
    keys(index, &mut content);
    paginate(&content, header.nonce)
}

/// Notes a section in the header; `field` is where.
fn section(content: &mut [u8], field: usize, start: usize, count: usize) {
    put(content, field, (start as u64).to_le_bytes());
    put(content, field + 8, (count as u64).to_le_bytes());
}

fn anchors(index: &LiveIndex, content: &mut Vec<u8>) {
    let start = content.len();
    for anchor in &index.anchors {
        content.extend(anchor.offset.to_le_bytes());
        content.extend(anchor.commit_end.to_le_bytes());
        content.extend(anchor.position.to_le_bytes());
        content.extend(anchor.recorded_at.to_le_bytes());
    }
    section(content, 80, start, index.anchors.len());
}

fn feeds(index: &LiveIndex, content: &mut Vec<u8>) {
    let start = content.len();
    let feeds = index.feeds();
    for (feed, counts) in &feeds {
        for number in [
            counts.through,
            counts.events,
            counts.batches,
            counts.subjects,
        ] {
            content.extend(number.to_le_bytes());
        }
        content.push(u8::try_from(feed.len()).expect("a feed has at most 255 bytes"));
        content.extend_from_slice(feed);
    }
    section(content, 96, start, feeds.len());
    align(content);
}

fn keys(index: &LiveIndex, content: &mut Vec<u8>) {
    let keys = &index.keys;
    let buckets = keys.all.len().div_ceil(BUCKET_KEYS).next_power_of_two();
    let bucket = |key: &Key| key.hash & (buckets as u64 - 1);
    let mut sorted: Vec<&Key> = keys.all.iter().collect();
    sorted.sort_unstable_by_key(|key| (bucket(key), key.hash));

    let mut entries = Vec::new();
    let mut postings = Vec::new();
    let mut starts = Vec::with_capacity(buckets + 1);
    for key in sorted {
        while starts.len() as u64 <= bucket(key) {
            starts.push(small(entries.len()));
        }
        let list = key.postings.as_slice();
        let first = match list {
            [only] => *only,
            _ => small(postings.len()),
        };
        entries.extend(u32::to_le_bytes((key.hash >> 32) as u32));
        entries.extend(small(list.len()).to_le_bytes());
        entries.extend(first.to_le_bytes());
        entries.extend(key.len.to_le_bytes());
        entries.extend([key.kind as u8, 0]);
        entries.extend_from_slice(keys.bytes(key));
        align(&mut entries);
        if list.len() > 1 {
            postings.extend_from_slice(list);
        }
    }
    starts.resize(buckets + 1, small(entries.len()));

    let start = content.len();
    section(content, 112, start, buckets);
    content.extend(starts.into_iter().flat_map(u32::to_le_bytes));
    let start = content.len();
    section(content, 128, start, entries.len());
    content.extend_from_slice(&entries);
    let start = content.len();
    section(content, 144, start, postings.len());
    content.extend(postings.into_iter().flat_map(u32::to_le_bytes));
}

fn align(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

fn small(number: usize) -> u32 {
    u32::try_from(number).expect("an index is smaller than its segment's 4 GiB")
}
