//! One row of the table, as a child prints it and its parent reads it.

use std::{fmt, str::FromStr};

use crate::contenders::Contender;

/// What was measured of one piece of work.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Record {
    pub(crate) title: String,
    /// What the figures count in.
    pub(crate) unit: String,
    pub(crate) reach: Option<Reach>,
    pub(crate) figures: Vec<Figure>,
}

/// What one contender took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Figure {
    pub(crate) contender: Contender,
    pub(crate) median: f64,
    pub(crate) minimum: f64,
}

/// What manyhands is to reach: so many times the figure of another contender (or of itself) in some
/// row, and so much on top.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Reach {
    /// The row, if it is another one.
    pub(crate) row: Option<String>,
    pub(crate) of: Contender,
    pub(crate) factor: f64,
    pub(crate) plus: f64,
}

impl Reach {
    /// `reach`, on a machine where `of` took `took`.
    pub(crate) fn of(of: Contender, took: f64, reach: f64) -> Self {
        Self { row: None, of, factor: reach / took, plus: 0.0 }
    }

    /// A figure of its own.
    pub(crate) fn fixed(plus: f64) -> Self {
        Self { row: None, of: Contender::Loop, factor: 0.0, plus }
    }

    /// The figure of `of` in another row, times `factor`.
    pub(crate) fn of_row(row: &str, of: Contender, factor: f64) -> Self {
        Self { row: Some(row.to_owned()), of, factor, plus: 0.0 }
    }

    /// As much more.
    pub(crate) fn plus(self, plus: f64) -> Self {
        Self { plus, ..self }
    }
}

impl Record {
    /// What `contender` took, if it took part.
    pub(crate) fn figure(&self, contender: Contender) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.contender == contender)
    }
}

/// What separates the fields of a line; no title has one.
const TAB: char = '\t';

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{TAB}{}{TAB}", self.title, self.unit)?;
        if let Some(Reach { row, of, factor, plus }) = &self.reach {
            let row = row.as_deref().unwrap_or_default();
            write!(f, "{row};{};{factor};{plus}", of.name())?;
        }
        for Figure { contender, median, minimum } in &self.figures {
            write!(f, "{TAB}{};{median};{minimum}", contender.name())?;
        }
        Ok(())
    }
}

/// A line that is no record.
#[derive(Debug)]
pub(crate) struct Garbled;

impl FromStr for Record {
    type Err = Garbled;

    fn from_str(line: &str) -> Result<Self, Garbled> {
        let mut fields = line.split(TAB);
        let mut text = || fields.next().map(str::to_owned).ok_or(Garbled);
        let (title, unit, reach) = (text()?, text()?, text()?);
        let reach = if reach.is_empty() { None } else { Some(reach.parse()?) };
        let figures = fields.map(str::parse).collect::<Result<_, _>>()?;
        Ok(Self { title, unit, reach, figures })
    }
}

impl FromStr for Reach {
    type Err = Garbled;

    fn from_str(field: &str) -> Result<Self, Garbled> {
        let [row, of, factor, plus] = parts(field)?;
        Ok(Self {
            row: (!row.is_empty()).then(|| row.to_owned()),
            of: Contender::named(of).ok_or(Garbled)?,
            factor: number(factor)?,
            plus: number(plus)?,
        })
    }
}

impl FromStr for Figure {
    type Err = Garbled;

    fn from_str(field: &str) -> Result<Self, Garbled> {
        let [contender, median, minimum] = parts(field)?;
        Ok(Self {
            contender: Contender::named(contender).ok_or(Garbled)?,
            median: number(median)?,
            minimum: number(minimum)?,
        })
    }
}

fn parts<const N: usize>(field: &str) -> Result<[&str; N], Garbled> {
    field.split(';').collect::<Vec<_>>().try_into().map_err(|_| Garbled)
}

fn number(text: &str) -> Result<f64, Garbled> {
    text.parse().map_err(|_| Garbled)
}
