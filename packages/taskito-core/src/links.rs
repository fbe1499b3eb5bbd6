//! How a new job hangs together with others: what it waits for, what it takes from there, and
//! which limits it shares.

use std::slice;

use crate::error::{Error, Result};
use crate::id::{DatabaseId, Key};
use crate::job::Inserted;

/// Number of a limited group in its database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupId(pub i64);

/// A job that a new one waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parent {
    /// One that is stored already.
    Stored(Key),
    /// An id that no job of this database can have.
    Unknown(String),
    /// An earlier one of the same insert, by its index there.
    New(usize),
}

impl Parent {
    /// Its key; `siblings` are the jobs of the same insert so far.
    ///
    /// # Errors
    /// [`Error::MissingDependency`] for an unknown id, [`Error::Invalid`] for a sibling that
    /// does not come before.
    pub fn key(&self, siblings: &[Inserted]) -> Result<Key> {
        match self {
            Self::Stored(key) => Ok(*key),
            Self::Unknown(id) => Err(Error::MissingDependency { id: id.clone() }),
            Self::New(index) => match siblings.get(*index) {
                Some(sibling) => Ok(sibling.key),
                None => Err(Error::Invalid {
                    message: format!(
                        "job {} of an insert waits for job {index}, which does not come before it",
                        siblings.len()
                    ),
                }),
            },
        }
    }
}

/// What goes in front of a job's own arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inputs<T> {
    /// One result, as it is.
    One(T),
    /// A list of results.
    List(Vec<T>),
}

/// The form of [`Inputs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// [`Inputs::One`].
    One,
    /// [`Inputs::List`].
    List,
}

impl Shape {
    /// The stored name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::List => "list",
        }
    }

    /// The shape with that stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::One, Self::List]
            .into_iter()
            .find(|shape| shape.name() == name)
    }
}

impl<T> Inputs<T> {
    /// All of them, in order.
    pub fn all(&self) -> &[T] {
        match self {
            Self::One(one) => slice::from_ref(one),
            Self::List(all) => all,
        }
    }

    /// Their form.
    #[must_use]
    pub fn shape(&self) -> Shape {
        match self {
            Self::One(_) => Shape::One,
            Self::List(_) => Shape::List,
        }
    }
}

/// A group of jobs of which only so many run at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Group {
    /// The same for all its members and for nobody else in the same insert.
    pub number: u32,
    /// How many run at once.
    pub limit: u32,
}

/// Everything that ties a new job to others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// Jobs it waits for, whose results it takes.
    pub inputs: Option<Inputs<Parent>>,
    /// Jobs it waits for without taking their results.
    pub after: Vec<Parent>,
    /// Whether it belongs to the workflow of its insert, which is named after the first job
    /// that does.
    pub workflow: bool,
    /// The limited groups it is in, the outermost first.
    pub groups: Vec<Group>,
}

impl Links {
    /// The jobs it waits for, in order, and whether it takes their results.
    pub fn parents(&self) -> impl Iterator<Item = (&Parent, bool)> {
        let inputs = self.inputs.iter().flat_map(Inputs::all);
        let after = self.after.iter().map(|parent| (parent, false));
        inputs.map(|parent| (parent, true)).chain(after)
    }
}

/// How a job ended that others waited for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RootEnd {
    /// It is dead.
    Dead,
    /// It was cancelled.
    Cancelled,
}

impl RootEnd {
    /// The error of every job that is cancelled because `root` ended like this.
    #[must_use]
    pub fn error(self, root: Key, database: DatabaseId) -> String {
        let how = match self {
            Self::Dead => "failed",
            Self::Cancelled => "cancelled",
        };
        format!("dependency {how}: {}", root.text(database))
    }
}
