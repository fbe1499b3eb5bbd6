//! The lanes that take part in a claim, each with the lines of jobs that wait there: those
//! without limit key and group, the strands with a key, the strands without one, the suspects.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Result, Row, params};

use super::bars::{Bars, LaneBars, StrandBar};
use super::candidate::Candidate;
use super::strand::{self, Strand};
use super::transaction::Lane;
use crate::clock::Millis;
use crate::job::{LaneId, StrandId};
use crate::limits::{Opening, TaskLimits};
use crate::store::Appetite;

/// How many jobs of a lane are looked at in one go.
const LOOK_AHEAD: usize = 64;

/// One lane during a claim.
pub(super) struct Contender {
    pub(super) id: LaneId,
    pub(super) lane: Lane,
    pub(super) limits: TaskLimits,
    pub(super) bars: LaneBars,
    /// Jobs that wait in no strand, read ahead in portions.
    pub(super) next: VecDeque<Candidate>,
    exhausted: bool,
    /// The strands, if it has any: with a limit key and without.
    pub(super) lines: Vec<Line>,
    pub(super) suspects: Vec<Suspect>,
}

/// The strands of a lane with a limit key, or those without.
pub(super) struct Line {
    pub(super) keyed: bool,
    pub(super) front: Front,
}

/// The first open strand of a line.
#[derive(Default)]
pub(super) enum Front {
    /// Nobody has looked.
    #[default]
    Unknown,
    /// There is none.
    Empty,
    /// This one.
    Head(Box<Head>),
}

/// An open strand that has a job.
pub(super) struct Head {
    pub(super) strand: Strand,
    pub(super) candidate: Candidate,
    pub(super) bars: Vec<StrandBar>,
}

impl Front {
    /// That of a strand with these limiters.
    pub(super) fn of(strand: Strand, bars: Vec<StrandBar>) -> Self {
        strand.head().map_or(Self::Empty, |candidate| {
            Self::Head(Box::new(Head {
                strand,
                candidate,
                bars,
            }))
        })
    }
}

/// A job that was lost before.
#[derive(Clone, Copy)]
pub(super) struct Suspect {
    pub(super) candidate: Candidate,
    pub(super) strand: Option<StrandId>,
}

/// A lane with pending jobs.
pub(super) struct ReadyLane {
    pub(super) id: LaneId,
    pub(super) lane: Lane,
    pub(super) has_strands: bool,
}

/// The lanes with pending jobs that a worker serves.
pub(super) fn ready_lanes(
    connection: &Connection,
    appetite: &dyn Appetite,
    mut name: impl FnMut(LaneId, &Row<'_>) -> Result<Lane>,
) -> Result<Vec<ReadyLane>> {
    let mut ready = connection.prepare_cached(include_str!("sql/ready_lanes.sql"))?;
    let mut rows = ready.query([])?;
    let mut lanes = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        let lane = name(id, row)?;
        if appetite.serves(&lane.queue, &lane.task) {
            lanes.push(ReadyLane {
                id,
                lane,
                has_strands: row.get(3)?,
            });
        }
    }
    Ok(lanes)
}

/// The suspects of a lane that run first.
pub(super) fn suspects(connection: &Connection, lane: LaneId) -> Result<Vec<Suspect>> {
    connection
        .prepare_cached(include_str!("sql/next_suspects.sql"))?
        .query_map(params![lane, LOOK_AHEAD], |row| {
            Ok(Suspect {
                candidate: Candidate::read(row, 0)?,
                strand: row.get(3)?,
            })
        })?
        .collect()
}

/// The contenders of each queue, by name.
pub(super) fn contenders(
    connection: &Connection,
    bars: &mut Bars,
    lanes: Vec<ReadyLane>,
    appetite: &dyn Appetite,
) -> Result<BTreeMap<Arc<str>, Vec<Contender>>> {
    let any_suspect = appetite.admits_suspect() && any_suspect(connection)?;
    let mut queues: BTreeMap<Arc<str>, Vec<Contender>> = BTreeMap::new();
    for ReadyLane {
        id,
        lane,
        has_strands,
    } in lanes
    {
        let limits = appetite.limits(&lane.task).clone();
        let queue = queues.entry(Arc::clone(&lane.queue)).or_default();
        queue.push(Contender {
            id,
            bars: bars.of_lane(connection, (&lane.queue, &lane.task), &limits)?,
            lane,
            limits,
            next: VecDeque::new(),
            exhausted: false,
            lines: if has_strands {
                vec![Line::new(true), Line::new(false)]
            } else {
                Vec::new()
            },
            suspects: if any_suspect {
                suspects(connection, id)?
            } else {
                Vec::new()
            },
        });
    }
    Ok(queues)
}

fn any_suspect(connection: &Connection) -> Result<bool> {
    let found = connection
        .prepare_cached(include_str!("sql/any_suspect.sql"))?
        .query_row([], |_| Ok(()))
        .optional()?;
    Ok(found.is_some())
}

impl Line {
    fn new(keyed: bool) -> Self {
        Self {
            keyed,
            front: Front::Unknown,
        }
    }
}

impl Contender {
    /// Reads the next portion of a lane when the last one is used up. The jobs of earlier
    /// portions are claimed by now and no longer in the index, so the next portion is the head.
    pub(super) fn look_ahead(&mut self, connection: &Connection) -> Result<()> {
        if self.exhausted || !self.next.is_empty() {
            return Ok(());
        }
        read_ahead(connection, self.id, LOOK_AHEAD, &mut self.next)?;
        self.exhausted = self.next.len() < LOOK_AHEAD;
        Ok(())
    }
}

fn read_ahead(
    connection: &Connection,
    lane: LaneId,
    count: usize,
    into: &mut VecDeque<Candidate>,
) -> Result<()> {
    let mut next = connection.prepare_cached(include_str!("sql/next_in_lane.sql"))?;
    for candidate in next.query_map(params![lane, count], |row| Candidate::read(row, 0))? {
        into.push_back(candidate?);
    }
    Ok(())
}

/// Whether a claim might find anything, asked without changing anything. A strand that counts as
/// open is believed.
pub(super) fn has_prospects(
    connection: &Connection,
    now: Millis,
    appetite: &mut dyn Appetite,
) -> Result<bool> {
    let mut bars = Bars::read(connection, now)?;
    let mut any_strand = false;
    for ReadyLane {
        id,
        lane,
        has_strands,
    } in ready_lanes(connection, appetite, |_, row| Lane::read(row, 1))?
    {
        let limits = appetite.limits(&lane.task);
        let found = bars.of_lane(connection, (&lane.queue, &lane.task), limits)?;
        let opening = bars.opening(found.all.iter().copied());
        tell(appetite, opening);
        if opening != Opening::Now {
            continue;
        }
        any_strand |= has_strands;
        let unkeyed = bars.opening(found.unkeyed);
        tell(appetite, unkeyed);
        if unkeyed == Opening::Now && (!has_strands || has_unkeyed(connection, id)?) {
            return Ok(true);
        }
        if has_strands
            && (strand::next_ready(connection, id, true)?.is_some()
                || !suspects(connection, id)?.is_empty())
        {
            return Ok(true);
        }
    }
    if any_strand && let Some(at) = strand::next_opening(connection)? {
        if at <= now {
            return Ok(true);
        }
        appetite.held_back(Opening::At(at));
    }
    Ok(bars.is_dirty())
}

/// Tells a worker when it should look again at what is held back.
pub(super) fn tell(appetite: &mut dyn Appetite, opening: Opening) {
    match opening {
        Opening::Now | Opening::Shut => {}
        Opening::At(_) | Opening::Later => appetite.held_back(opening),
    }
}

/// Whether a lane has a job without limit key whose strand, if it has one, counts as open.
fn has_unkeyed(connection: &Connection, lane: LaneId) -> Result<bool> {
    let mut first = VecDeque::new();
    read_ahead(connection, lane, 1, &mut first)?;
    Ok(!first.is_empty() || strand::next_ready(connection, lane, false)?.is_some())
}
