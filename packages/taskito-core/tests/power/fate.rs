//! What a cut leaves: all that was flushed, and of the rest what fate keeps.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::disk::{Event, FileId, Thing};
use crate::draw::Draw;

/// How a disk treats what was not flushed.
#[derive(Clone, Copy)]
pub(crate) enum Fate {
    /// All that came before an event is kept, and nothing after it.
    InOrder(usize),
    /// Each piece is kept with this chance in a hundred; pieces have this length at most.
    Share(u64, usize),
}

impl Fate {
    pub(crate) fn draw(moment: usize, draw: &mut Draw) -> Self {
        match draw.below(5) {
            0 => Self::InOrder(draw.below(moment + 1)),
            1 => Self::Share(0, 512),
            kind => {
                let share = [10, 50, 90, 100][draw.below(4)];
                let torn = 1 + draw.below(3000);
                Self::Share(share, [512, 4096, torn][kind - 2])
            }
        }
    }

    fn keeps(self, number: usize, draw: &mut Draw) -> bool {
        match self {
            Self::InOrder(end) => number < end,
            Self::Share(share, _) => draw.percent(share),
        }
    }

    fn piece(self) -> usize {
        match self {
            Self::InOrder(_) => usize::MAX,
            Self::Share(_, piece) => piece,
        }
    }
}

/// What was flushed at some moment, and what was not.
#[derive(Default)]
pub(crate) struct State<'l> {
    names: BTreeMap<&'l Path, Named>,
    files: BTreeMap<FileId, Body<'l>>,
}

#[derive(Default)]
struct Named {
    safe: Option<Thing>,
    loose: Vec<(usize, Option<Thing>)>,
}

#[derive(Default)]
struct Body<'l> {
    safe: Vec<u8>,
    loose: Vec<(usize, &'l Event)>,
}

impl<'l> State<'l> {
    pub(crate) fn follow(&mut self, number: usize, event: &'l Event) {
        match event {
            Event::Name(path, thing) => self.rename(path, number, Some(*thing)),
            Event::Unname(path) => self.rename(path, number, None),
            Event::Write(file, ..) | Event::Resize(file, _) => {
                let body = self.files.entry(*file).or_default();
                body.loose.push((number, event));
            }
            Event::Flush(file) => {
                let body = self.files.entry(*file).or_default();
                for (_, event) in body.loose.drain(..) {
                    apply(&mut body.safe, event);
                }
            }
            Event::FlushNames(directory) => {
                let inside = |path: &Path| path.parent() == Some(directory);
                for (_, name) in self.names.iter_mut().filter(|(path, _)| inside(path)) {
                    if let Some((_, newest)) = name.loose.drain(..).next_back() {
                        name.safe = newest;
                    }
                }
            }
        }
    }

    fn rename(&mut self, path: &'l Path, number: usize, thing: Option<Thing>) {
        let name = self.names.entry(path).or_default();
        name.loose.push((number, thing));
    }

    /// Which names are left.
    pub(crate) fn names(&self, fate: Fate, draw: &mut Draw) -> BTreeMap<&'l Path, Thing> {
        let mut left = BTreeMap::new();
        for (path, name) in &self.names {
            let mut thing = name.safe;
            for (number, newer) in &name.loose {
                if fate.keeps(*number, draw) {
                    thing = *newer;
                }
            }
            left.extend(thing.map(|thing| (*path, thing)));
        }
        left
    }

    /// Which bytes of a file are left.
    pub(crate) fn bytes(&self, file: FileId, fate: Fate, draw: &mut Draw) -> Vec<u8> {
        let Some(body) = self.files.get(&file) else {
            return Vec::new();
        };
        let mut bytes = body.safe.clone();
        for (number, event) in &body.loose {
            match event {
                Event::Write(_, at, new) => {
                    let mut at = *at;
                    for piece in new.chunks(fate.piece()) {
                        if fate.keeps(*number, draw) {
                            put(&mut bytes, at, piece);
                        } else if bytes.len() < at + piece.len() && draw.percent(20) {
                            bytes.resize(at + piece.len(), 0);
                        }
                        at += piece.len();
                    }
                }
                other if fate.keeps(*number, draw) => apply(&mut bytes, other),
                _ => {}
            }
        }
        bytes
    }
}

/// Files that processes write through shared memory: nobody sees these writes.
pub(crate) fn mapped(path: &Path, mut bytes: Vec<u8>, draw: &mut Draw) -> Vec<u8> {
    let name = path.to_string_lossy();
    if name.ends_with("-shm") {
        bytes.fill_with(|| draw.byte());
    } else if name.ends_with("-bell") && draw.percent(50) {
        bytes = fs::read(path).unwrap_or_default();
    }
    bytes
}

fn apply(bytes: &mut Vec<u8>, event: &Event) {
    match event {
        Event::Write(_, at, new) => put(bytes, *at, new),
        Event::Resize(_, length) => bytes.resize(*length, 0),
        _ => {}
    }
}

fn put(bytes: &mut Vec<u8>, at: usize, new: &[u8]) {
    if bytes.len() < at + new.len() {
        bytes.resize(at + new.len(), 0);
    }
    bytes[at..at + new.len()].copy_from_slice(new);
}
