//! Answers that were made by hand and brought as a file: the node's side without a way to the node.

use std::borrow::Cow;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::disk;
use crate::model::Timestamp;
use crate::model::fact::{FaultClass, Gap};
use crate::model::reports::ScannerReport;
use crate::model::text::Text;
use crate::probes::collector;
use crate::probes::frame::Frame;
use crate::probes::frame::kept::KeptAnswers;
use crate::probes::identity::{Who, who};
use crate::probes::reports::{self, Unread};

use super::clock::now;

/// Bytes of one file: fifteen answers of the largest size, a thousand of the usual one.
const CAP: u64 = 64 << 20;
/// Answers of one file that are looked at.
const ANSWERS: usize = 2000;
/// Read at once.
const PIECE: usize = 1 << 16;

/// One answer in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Import {
    place: Place,
    /// Which of its answers, from 0.
    index: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Place {
    /// Read again each time that it is asked for.
    File(PathBuf),
    /// A pipe gives its bytes once.
    Kept(PathBuf, Arc<Vec<u8>>, Timestamp),
}

/// An answer of a file as a person is told of it.
#[derive(Clone, Debug)]
pub struct Found {
    pub import: Import,
    /// Why it cannot be used, where it cannot.
    pub answer: Result<Summary, Gap>,
}

/// What an answer is, without its facts.
#[derive(Clone, Debug)]
pub struct Summary {
    pub who: Who,
    pub uid: u32,
    pub script: u32,
    pub sections: usize,
    /// Why it is not whole.
    pub cut: Option<Gap>,
    pub taken: Timestamp,
}

impl Import {
    /// The only answer of a file that is configured for one node; it is looked at when the node is read.
    pub fn of_file(file: &Path) -> Self {
        Self {
            place: Place::File(file.to_owned()),
            index: 0,
        }
    }

    /// The file, as it was named.
    pub fn file(&self) -> &Path {
        match &self.place {
            Place::File(file) | Place::Kept(file, ..) => file,
        }
    }

    /// The answer, and when it was taken: by the file's time or the node's clock, whichever is earlier.
    ///
    /// # Errors
    /// A file that cannot be read, or that has no such answer.
    pub fn read(&self) -> Result<(Frame, Timestamp), Gap> {
        let mut wanted = None;
        let mut index = 0;
        let time = self.place.each(&mut |answer| {
            if index == self.index {
                wanted = Some(answer);
            }
            index += 1;
        })?;
        let mut frame = wanted.unwrap_or_else(|| {
            let text = format!("{} answers are in it, not {}", index, self.index + 1);
            Err(bad(self.file(), &text))
        })?;
        frame.by_hand = true;
        let taken = taken(&who(&frame), time);
        Ok((frame, taken))
    }
}

/// What is in a file; `-` is standard input.
///
/// # Errors
/// A file that cannot be read, or in which there is no answer.
pub fn look(file: &Path) -> Result<Vec<Found>, Gap> {
    Place::of(file)?.answers()
}

/// What a file is that somebody brings.
#[derive(Debug)]
pub enum Brought {
    Answers(Vec<Found>),
    /// With when the file was made.
    Report(Box<ScannerReport>, Timestamp),
}

/// What is in a file, answers or another scanner's report; `-` is standard input.
///
/// # Errors
/// A file that cannot be read, or that is neither: why it is no answer, and why it is no report.
pub fn look_at(file: &Path) -> Result<Brought, (Gap, Option<Unread>)> {
    let place = Place::of(file).map_err(|gap| (gap, None))?;
    let why = match place.answers() {
        Ok(found) if found.iter().any(|found| found.answer.is_ok()) => {
            return Ok(Brought::Answers(found));
        }
        Ok(found) => found.into_iter().find_map(|found| found.answer.err()),
        Err(gap) => Some(gap),
    };
    let why = why.unwrap_or_else(|| bad(file, "no answer is in it"));
    let Ok((bytes, made)) = place.bytes() else {
        return Err((why, None));
    };
    match reports::read(&bytes) {
        Ok(report) => Ok(Brought::Report(Box::new(report), made)),
        Err(unread) => Err((why, Some(unread))),
    }
}

/// Never later than it can have been: a file that was copied is younger than its answer, a node's clock may be ahead.
fn taken(who: &Who, time: Timestamp) -> Timestamp {
    let clock = who
        .clock
        .and_then(|clock| Timestamp::from_second(clock).ok());
    clock.map_or(time, |clock| clock.min(time))
}

impl Place {
    fn of(file: &Path) -> Result<Self, Gap> {
        let failed = |error: io::Error| bad(file, &error.to_string());
        if file == Path::new("-") {
            let bytes = Arc::new(whole(&mut io::stdin().lock()).map_err(failed)?);
            return Ok(Self::Kept(PathBuf::from("standard input"), bytes, now()));
        }
        if disk::is_regular(file).map_err(failed)? {
            return Ok(Self::File(file.to_owned()));
        }
        let mut pipe = disk::open(file).map_err(failed)?;
        let bytes = Arc::new(whole(&mut pipe).map_err(failed)?);
        Ok(Self::Kept(file.to_owned(), bytes, now()))
    }

    /// Every answer, as far as it is told.
    fn answers(&self) -> Result<Vec<Found>, Gap> {
        let mut found: Vec<Result<(Who, Frame), Gap>> = Vec::new();
        let time = self.each(&mut |answer| {
            if found.len() < ANSWERS {
                found.push(answer.map(|mut frame| {
                    let who = who(&frame);
                    let sections = frame.sections.len();
                    // Only their number is told; the facts are read when they are needed.
                    frame.sections = Vec::new();
                    frame.sections.resize_with(sections, Default::default);
                    (who, frame)
                }));
            }
        })?;
        let found = found.into_iter().enumerate().map(|(index, answer)| Found {
            import: Import {
                place: self.clone(),
                index,
            },
            answer: answer.map(|(who, frame)| Summary {
                taken: taken(&who, time),
                who,
                uid: frame.uid,
                script: frame.script,
                sections: frame.sections.len(),
                cut: frame.cut,
            }),
        });
        Ok(found.collect())
    }

    /// All of it, and when it was made.
    fn bytes(&self) -> io::Result<(Cow<'_, [u8]>, Timestamp)> {
        Ok(match self {
            Self::File(file) => (disk::read(file, CAP)?.into(), made(file)),
            Self::Kept(_, bytes, at) => (bytes.as_slice().into(), *at),
        })
    }

    /// Gives each answer in turn; when the file was made.
    fn each(&self, give: &mut dyn FnMut(Result<Frame, Gap>)) -> Result<Timestamp, Gap> {
        match self {
            Self::File(file) => {
                let failed = |error: io::Error| bad(file, &error.to_string());
                let made = made(file);
                each(file, &mut disk::open(file).map_err(failed)?, give)?;
                Ok(made)
            }
            Self::Kept(file, bytes, at) => {
                each(file, &mut bytes.as_slice(), give)?;
                Ok(*at)
            }
        }
    }
}

fn made(file: &Path) -> Timestamp {
    let made = disk::stamp(file).map(|(time, _)| Timestamp::try_from(time));
    made.and_then(Result::ok).unwrap_or_else(now).min(now())
}

fn whole(from: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    from.take(CAP + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn each(
    file: &Path,
    from: &mut dyn Read,
    give: &mut dyn FnMut(Result<Frame, Gap>),
) -> Result<(), Gap> {
    let mut answers = KeptAnswers::new(collector::section_count());
    let mut piece = vec![0; PIECE];
    let mut total = 0_u64;
    loop {
        let count = match from.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(bad(file, &error.to_string())),
        };
        total += count as u64;
        if total > CAP {
            return Err(bad(file, &format!("larger than {} MB", CAP >> 20)));
        }
        answers
            .push(&piece[..count])
            .into_iter()
            .for_each(&mut *give);
    }
    let last = answers.finish().map_err(|gap| named(file, gap))?;
    last.into_iter().for_each(give);
    Ok(())
}

fn named(file: &Path, gap: Gap) -> Gap {
    match gap {
        Gap::Node { class, detail } => Gap::Node {
            class,
            detail: Text::from(format!("{}: {detail}", file.display())),
        },
        gap => gap,
    }
}

fn bad(file: &Path, detail: &str) -> Gap {
    Gap::Node {
        class: FaultClass::BadImport,
        detail: Text::from(format!("{}: {detail}", file.display())),
    }
}
