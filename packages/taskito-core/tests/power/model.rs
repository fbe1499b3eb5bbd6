//! The disk itself: what it says must be true of files that nobody but the test writes.

use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use crate::calls;
use crate::disk::{Disk, Remains};
use crate::draw::Draw;
use crate::support::Directory;

/// What 300 cuts at this moment leave of a file: `None` where it is gone.
fn cuts(disk: &Arc<Disk>, moment: usize, name: &str) -> Vec<Option<Vec<u8>>> {
    let mut draw = Draw::new(1);
    let mut cut = || disk.cut(moment, &mut draw).files.remove(Path::new(name));
    (0..300).map(|_| cut()).collect()
}

#[test]
fn what_was_flushed_is_kept_and_what_was_not_may_be_lost() {
    let directory = Directory::new();
    let root = directory.path("disk");
    fs::create_dir(&root).unwrap();
    let disk = Disk::with(&root, &Remains::default());
    let mut file = File::create(root.join("file")).unwrap();
    file.write_all(&[1; 1024]).unwrap();
    let written = disk.moment();
    file.sync_all().unwrap();
    let flushed = disk.moment();
    File::open(&root).unwrap().sync_all().unwrap();
    let named = disk.moment();
    file.write_all(&[2; 1024]).unwrap();
    let longer = disk.moment();
    fs::remove_file(root.join("file")).unwrap();
    let removed = disk.moment();
    calls::forget(&disk);

    let old = vec![1; 1024];
    let seen = cuts(&disk, written, "file");
    for expected in [None, Some(vec![]), Some(old.clone()), Some(vec![0; 1024])] {
        assert!(seen.contains(&expected), "never {expected:?}");
    }
    let torn = |bytes: &Vec<u8>| bytes.contains(&1) && bytes.contains(&0);
    assert!(seen.iter().flatten().any(torn), "no write was torn");

    let seen = cuts(&disk, flushed, "file");
    assert!(
        seen.contains(&None),
        "a name is not kept by flushing its file"
    );
    assert!(seen.iter().flatten().all(|bytes| *bytes == old));

    assert!(
        cuts(&disk, named, "file")
            .iter()
            .all(|bytes| *bytes == Some(old.clone()))
    );

    let seen = cuts(&disk, longer, "file");
    assert!(seen.iter().flatten().all(|bytes| bytes.starts_with(&old)));
    assert!(
        seen.contains(&Some(old)),
        "the second write always came through"
    );
    assert!(seen.iter().flatten().any(|bytes| bytes.len() == 2048));

    let seen = cuts(&disk, removed, "file");
    assert!(seen.contains(&None) && seen.iter().any(Option::is_some));
}
