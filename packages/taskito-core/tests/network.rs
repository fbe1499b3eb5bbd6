//! A database on a network file system is refused. What the kernel says about file systems is
//! replaced for this test program.
#![cfg(target_os = "linux")]
#![expect(
    unsafe_code,
    reason = "a function of the C library, which fills what its caller gives"
)]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

use std::sync::atomic::{AtomicI64, Ordering};

use libc::{c_char, c_int};
use taskito_core::error::Error;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Inspect, Sync};

/// The magic number of every file system.
static MAGIC: AtomicI64 = AtomicI64::new(0);

#[unsafe(no_mangle)]
unsafe extern "C" fn statfs(_path: *const c_char, facts: *mut libc::statfs) -> c_int {
    // SAFETY: all-zero is a valid `statfs`, and the caller's is there to be filled.
    unsafe {
        facts.write(std::mem::zeroed());
        (*facts).f_type = MAGIC.load(Ordering::SeqCst);
    }
    0
}

#[test]
fn a_network_file_system_is_refused_before_anything_is_made_there() {
    let place = std::env::temp_dir().join(format!("taskito-network-{}", std::process::id()));
    let path = place.join("new").join("jobs.db");
    for (magic, name) in [
        (0x6969, "nfs"),
        (0xff53_4d42, "cifs"),
        (0xfe53_4d42, "smb2"),
        (0x00c3_6400, "ceph"),
    ] {
        MAGIC.store(magic, Ordering::SeqCst);
        let store = SqliteStore::new(&path, Sync::Durable);
        let error = store.stats().unwrap_err();
        assert!(matches!(error, Error::Network { kind, .. } if kind == name));
        let text = error.to_string();
        assert!(text.contains(name) && text.contains(path.to_str().unwrap()));
        assert!(error.hint().unwrap().contains("local disk"));
        assert!(!place.exists(), "something was made there");
    }
    MAGIC.store(0xef53, Ordering::SeqCst); // ext4
    assert!(SqliteStore::new(&path, Sync::Durable).stats().is_ok());
    std::fs::remove_dir_all(&place).unwrap();
}
