//! Answers that were kept in a file: made by hand, one or several behind each other, with whatever a console put
//! around them.

use super::super::collector::BY_HAND;
use super::{Frame, FrameReader, LINE, State};
use crate::model::fact::{FaultClass, Gap};
use crate::model::text::Text;

/// Takes a file piece by piece, and gives each answer as soon as it is over.
pub struct KeptAnswers {
    of: u16,
    line: Vec<u8>,
    /// A line was longer than any of the collector's.
    overlong: bool,
    reader: FrameReader,
    any: bool,
}

impl KeptAnswers {
    /// `of`: sections that the present script has.
    pub fn new(of: u16) -> Self {
        Self {
            of,
            line: Vec::new(),
            overlong: false,
            reader: FrameReader::new(BY_HAND, of),
            any: false,
        }
    }

    /// The answers that ended in these bytes.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Result<Frame, Gap>> {
        let mut ended = Vec::new();
        for piece in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.line.len() + piece.len() > LINE + 2 {
                self.overlong = true;
                self.line.clear();
            } else if !self.overlong {
                self.line.extend_from_slice(piece);
            }
            if !piece.ends_with(b"\n") {
                continue;
            }
            let mut line = std::mem::take(&mut self.line);
            if std::mem::take(&mut self.overlong) {
                // A line that no collector writes ends what stands before it.
                line.splice(.., *b"@\n");
            } else if line.ends_with(b"\r\n") {
                // A serial console writes both.
                line.truncate(line.len() - 2);
                line.push(b'\n');
            }
            ended.extend(self.take(&line));
        }
        ended
    }

    /// The last answer, where the file ends inside of it.
    ///
    /// # Errors
    /// A file in which no answer was found at all.
    pub fn finish(mut self) -> Result<Option<Result<Frame, Gap>>, Gap> {
        let last = self.end();
        if last.is_some() || self.any {
            return Ok(last);
        }
        let said = self.reader.noise.iter().chain(&self.line).copied();
        let said: Vec<u8> = said.take_while(|byte| *byte != b'\n').take(80).collect();
        let detail = match said.as_slice() {
            [] => "the file is empty".to_owned(),
            [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => {
                "the file is UTF-16, as PowerShell writes it: keep the bytes as they come"
                    .to_owned()
            }
            said => format!(
                "no answer of the collector is in it, it begins with: {}",
                Text::from_bytes(said.trim_ascii())
            ),
        };
        Err(bad(&detail))
    }

    fn take(&mut self, line: &[u8]) -> Vec<Result<Frame, Gap>> {
        let mut ended = Vec::new();
        let begin = line.strip_prefix(b"@STK1 BEGIN ");
        if begin.is_some() {
            ended.extend(self.end());
        }
        let foreign = begin.is_some_and(|rest| !rest.starts_with(BY_HAND.as_bytes()));
        if foreign {
            self.any = true;
            ended.push(Err(bad(
                "an answer in it carries the nonce of a run: it was not made by hand",
            )));
            return ended;
        }
        self.reader.push(line);
        if self.reader.is_over() {
            ended.extend(self.end());
        }
        ended
    }

    /// Ends the answer that is being read, where one has begun.
    fn end(&mut self) -> Option<Result<Frame, Gap>> {
        if matches!(self.reader.state, State::Waiting) {
            return None;
        }
        self.any = true;
        let fresh = FrameReader::new(BY_HAND, self.of);
        Some(std::mem::replace(&mut self.reader, fresh).finish())
    }
}

fn bad(detail: &str) -> Gap {
    Gap::Node {
        class: FaultClass::BadImport,
        detail: Text::new(detail),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(host: &str) -> String {
        format!(
            "@STK1 BEGIN {BY_HAND} 2 0 stat b64\n@STK1 SECTION identity\nV\t/proc/sys/kernel/hostname\t{host}\n\
             @STK1 DONE identity 1\n@STK1 END {BY_HAND} 1\n"
        )
    }

    fn read(text: &[u8], piece: usize) -> Result<Vec<Result<Frame, Gap>>, Gap> {
        let mut answers = KeptAnswers::new(1);
        let mut out = Vec::new();
        for bytes in text.chunks(piece) {
            out.extend(answers.push(bytes));
        }
        out.extend(answers.finish()?);
        Ok(out)
    }

    #[test]
    fn several_answers_in_one_file() {
        let text = format!("Last login\n\n{}\nnoise\n{}bye\n", answer("a"), answer("b"));
        for piece in [1, 7, 64, 100_000] {
            for text in [text.clone(), text.replace('\n', "\r\n")] {
                let found = read(text.as_bytes(), piece).expect("two answers");
                let names: Vec<&[u8]> = found
                    .iter()
                    .map(|frame| {
                        let frame = frame.as_ref().expect("each is whole");
                        assert!(frame.complete && frame.by_hand);
                        frame.sections[0].records[0].fields[1].as_slice()
                    })
                    .collect();
                assert_eq!(names, [b"a", b"b"]);
            }
        }
    }

    #[test]
    fn what_was_cut_does_not_take_the_next_one_along() {
        let whole = answer("a");
        for end in 0..whole.len() {
            let text = format!("{}\n{}", &whole[..end], answer("b"));
            let found = read(text.as_bytes(), 50).expect("the second is there");
            let last = found.last().expect("it is").as_ref().expect("whole");
            assert!(last.complete, "{end}");
            assert!(found.len() <= 2);
            // What is there is not taken for whole.
            let first = found.len() == 2 && found[0].as_ref().is_ok_and(|frame| frame.complete);
            assert_eq!(first, end >= whole.len() - 1, "{end}");
        }
    }

    #[test]
    fn what_is_no_answer_says_so() {
        for (text, words) in [
            (&b""[..], "the file is empty"),
            (b"\xff\xfe@\0S\0", "UTF-16"),
            (b"root:x:0:0\n", "begins with: root:x:0:0"),
            (b"\x1b[2J\n", "\\x1b[2J"),
        ] {
            let gap = read(text, 3).expect_err("no answer");
            assert!(gap.to_string().contains(words), "{gap}");
        }
        let run = answer("a").replace(BY_HAND, "0123456789abcdef0123456789abcdef");
        let found = read(run.as_bytes(), 9).expect("something is there");
        assert!(
            found[0]
                .as_ref()
                .is_err_and(|gap| gap.to_string().contains("nonce of a run"))
        );
    }

    #[test]
    fn a_long_line_ends_an_answer_and_grows_nothing() {
        let mut answers = KeptAnswers::new(1);
        let head = answer("a");
        let head = head.split("V\t").next().expect("it splits");
        assert!(answers.push(head.as_bytes()).is_empty());
        for _ in 0..40 {
            assert!(answers.push(&vec![b'x'; 1 << 16]).is_empty());
            assert!(answers.line.len() <= LINE + 2);
        }
        let found = answers.push(b"\n");
        assert!(found[0].is_err(), "{found:?}");
        assert!(answers.push(answer("b").as_bytes())[0].is_ok());
    }
}
