//! The disk that logs and store are on.

use std::fmt;

use feedwire_engine::Disk;

use super::families::{Families, Family, PLAIN, bytes};

const FREE: Family = bytes("feedwire_disk_free", "Room on the disk of the data folder");
const SIZE: Family = bytes("feedwire_disk_size", "Size of the disk of the data folder");
const STORE: Family = bytes(
    "feedwire_store_size",
    "The store on disk: labels, retention, receipts, counts and heads of subjects",
);

pub(super) fn tell(families: &mut Families<'_>, disk: Option<Disk>) -> fmt::Result {
    let one = |number: fn(Disk) -> u64| disk.map(|disk| (PLAIN, number(disk)));
    families.levels(&FREE, one(|disk| disk.free_bytes))?;
    families.levels(&SIZE, one(|disk| disk.size_bytes))?;
    families.levels(&STORE, one(|disk| disk.store_bytes))
}
