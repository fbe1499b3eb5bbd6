//! What a database file holds, looked at with plain `SQLite`.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::Path;

use rusqlite::Connection;
use rusqlite::config::DbConfig;
use rusqlite::types::ValueRef;

/// A connection that leaves nothing behind.
pub(crate) fn connect(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection
        .set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .unwrap();
    connection
}

/// A number that stands for every row of every table, but for the one that names the database.
pub(crate) fn digest(connection: &Connection) -> u64 {
    let mut hasher = DefaultHasher::new();
    let mut tables = connection
        .prepare(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'taskito'
             ORDER BY name",
        )
        .unwrap();
    let names = tables.query_map([], |row| row.get::<_, String>(0)).unwrap();
    for name in names.map(Result::unwrap) {
        name.hash(&mut hasher);
        let mut rows = connection
            .prepare(&format!("SELECT * FROM \"{name}\""))
            .unwrap();
        let columns = rows.column_count();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                match row.get_ref(column).unwrap() {
                    ValueRef::Null => 0.hash(&mut hasher),
                    ValueRef::Integer(number) => (1, number).hash(&mut hasher),
                    ValueRef::Real(number) => (2, number.to_bits()).hash(&mut hasher),
                    ValueRef::Text(text) => (3, text).hash(&mut hasher),
                    ValueRef::Blob(bytes) => (4, bytes).hash(&mut hasher),
                }
            }
        }
    }
    hasher.finish()
}

/// What `SQLite` says about the soundness of a file: `ok`, or what is wrong.
pub(crate) fn integrity(connection: &Connection) -> String {
    let mut check = connection.prepare("PRAGMA integrity_check").unwrap();
    let lines = check.query_map([], |row| row.get::<_, String>(0)).unwrap();
    lines.map(Result::unwrap).collect::<Vec<_>>().join("; ")
}
