//! Block, quoted and plain scalars: the scalar part of `scannerc.go`.

use super::YamlError;
use super::scan_text::hex;
use super::scanner::Scanner;
use super::token::{Kind, Token};

/// A scalar under way, with the white space that is not yet known to belong to it.
#[derive(Default)]
struct Folding {
    text: Vec<u8>,
    spaces: Vec<u8>,
    leading_break: Vec<u8>,
    trailing_breaks: Vec<u8>,
    /// Whether a line ended since the last character of the text.
    broken: bool,
}

impl Folding {
    /// Adds the pending white space: one line break folds to a space.
    fn join(&mut self) {
        if !self.broken {
            self.text.append(&mut self.spaces);
            return;
        }
        if self.leading_break.first() == Some(&b'\n') {
            if self.trailing_breaks.is_empty() {
                self.text.push(b' ');
            }
        } else {
            self.text.append(&mut self.leading_break);
        }
        self.text.append(&mut self.trailing_breaks);
        self.leading_break.clear();
    }
}

/// The first line of a block scalar: `|`, `>-`, `|2+`.
struct Header {
    keep: bool,
    strip: bool,
    /// Column of the content, 0 while not known.
    indent: usize,
}

impl Scanner<'_> {
    pub(super) fn fetch_plain(&mut self) -> Result<(), YamlError> {
        self.save_key()?;
        self.key_allowed = false;
        let mut token = Token::bare(Kind::PlainScalar, self.mark);
        let mut folding = Folding::default();
        loop {
            self.chars.need(4)?;
            if self.mark.column == 0 && self.document_indicator().is_some()
                || self.chars.at(0) == b'#'
            {
                break;
            }
            while !self.is_blankz(0) && !self.ends_plain() {
                folding.join();
                folding.broken = false;
                self.read(&mut folding.text);
                self.chars.need(2)?;
            }
            if !self.is_blank(0) && !self.is_break(0) {
                break;
            }
            self.read_blanks(&mut folding, Some(self.floor))?;
            if self.flow_level == 0 && self.mark.column < self.floor {
                break;
            }
        }
        token.text = folding.text;
        self.push(token);
        if folding.broken {
            self.key_allowed = true;
        }
        Ok(())
    }

    fn ends_plain(&self) -> bool {
        match self.chars.at(0) {
            b':' => self.is_blankz(1),
            b',' | b'?' | b'[' | b']' | b'{' | b'}' => self.flow_level > 0,
            _ => false,
        }
    }

    /// Takes blanks and line breaks; a tab before column `tab_floor` of a new line is a fault.
    fn read_blanks(
        &mut self,
        folding: &mut Folding,
        tab_floor: Option<usize>,
    ) -> Result<(), YamlError> {
        self.chars.need(1)?;
        while self.is_blank(0) || self.is_break(0) {
            if self.is_blank(0) {
                let indenting =
                    folding.broken && tab_floor.is_some_and(|floor| self.mark.column < floor);
                if indenting && self.chars.at(0) == b'\t' {
                    return Err(self.fault("found a tab character that violates indentation"));
                }
                if folding.broken {
                    self.skip();
                } else {
                    self.read(&mut folding.spaces);
                }
            } else {
                self.chars.need(2)?;
                if folding.broken {
                    self.read_line(&mut folding.trailing_breaks);
                } else {
                    folding.spaces.clear();
                    self.read_line(&mut folding.leading_break);
                    folding.broken = true;
                }
            }
            self.chars.need(1)?;
        }
        Ok(())
    }

    pub(super) fn fetch_quoted(&mut self, single: bool) -> Result<(), YamlError> {
        self.save_key()?;
        self.key_allowed = false;
        let mut token = Token::bare(Kind::OtherScalar, self.mark);
        let quote = if single { b'\'' } else { b'"' };
        self.skip();
        let mut folding = Folding::default();
        loop {
            self.chars.need(4)?;
            if self.mark.column == 0 && self.document_indicator().is_some() {
                return Err(self.fault("found unexpected document indicator"));
            }
            if self.chars.at(0) == 0 {
                return Err(YamlError::at(token.start, "found unexpected end of stream"));
            }
            folding.broken = false;
            self.read_quoted(&mut folding, quote)?;
            self.chars.need(1)?;
            if self.chars.at(0) == quote {
                break;
            }
            self.read_blanks(&mut folding, None)?;
            folding.join();
        }
        self.skip();
        token.text = folding.text;
        self.push(token);
        Ok(())
    }

    /// Takes what is not blank, up to the closing quote.
    fn read_quoted(&mut self, folding: &mut Folding, quote: u8) -> Result<(), YamlError> {
        while !self.is_blankz(0) {
            let escaping = quote == b'"' && self.chars.at(0) == b'\\';
            if quote == b'\'' && self.chars.at(0) == quote && self.chars.at(1) == quote {
                folding.text.push(quote);
                self.skip();
                self.skip();
            } else if self.chars.at(0) == quote {
                break;
            } else if escaping && self.is_break(1) {
                self.chars.need(3)?;
                self.skip();
                self.skip_line();
                folding.broken = true;
                break;
            } else if escaping {
                self.read_escape(&mut folding.text)?;
            } else {
                self.read(&mut folding.text);
            }
            self.chars.need(2)?;
        }
        Ok(())
    }

    fn read_escape(&mut self, into: &mut Vec<u8>) -> Result<(), YamlError> {
        let plain = match self.chars.at(1) {
            b'0' => "\0",
            b'a' => "\x07",
            b'b' => "\x08",
            b't' | b'\t' => "\t",
            b'n' => "\n",
            b'v' => "\x0b",
            b'f' => "\x0c",
            b'r' => "\r",
            b'e' => "\x1b",
            b' ' => " ",
            b'"' => "\"",
            b'\'' => "'",
            b'\\' => "\\",
            b'N' => "\u{85}",
            b'_' => "\u{a0}",
            b'L' => "\u{2028}",
            b'P' => "\u{2029}",
            b'x' => return self.read_code(2, into),
            b'u' => return self.read_code(4, into),
            b'U' => return self.read_code(8, into),
            _ => return Err(self.fault("found unknown escape character")),
        };
        into.extend_from_slice(plain.as_bytes());
        self.skip();
        self.skip();
        Ok(())
    }

    fn read_code(&mut self, digits: usize, into: &mut Vec<u8>) -> Result<(), YamlError> {
        self.skip();
        self.skip();
        self.chars.need(digits)?;
        let mut value = 0_u32;
        for ahead in 0..digits {
            let Some(digit) = hex(self.chars.at(ahead)) else {
                return Err(self.fault("did not find expected hexdecimal number"));
            };
            value = value << 4 | u32::from(digit);
        }
        let Some(character) = char::from_u32(value) else {
            return Err(self.fault("found invalid Unicode character escape code"));
        };
        into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        for _ in 0..digits {
            self.skip();
        }
        Ok(())
    }

    pub(super) fn fetch_block_scalar(&mut self, literal: bool) -> Result<(), YamlError> {
        self.remove_key()?;
        self.key_allowed = true;
        let mut token = Token::bare(Kind::OtherScalar, self.mark);
        let mut header = self.block_header()?;
        let (mut leading_break, mut trailing_breaks) = (Vec::new(), Vec::new());
        self.block_breaks(&mut header.indent, &mut trailing_breaks)?;
        self.chars.need(1)?;
        let mut leading_blank = false;
        while self.mark.column == header.indent && self.chars.at(0) != 0 {
            let blank = self.is_blank(0);
            let fold =
                !literal && !leading_blank && !blank && leading_break.first() == Some(&b'\n');
            if !fold {
                token.text.append(&mut leading_break);
            } else if trailing_breaks.is_empty() {
                token.text.push(b' ');
            }
            leading_break.clear();
            token.text.append(&mut trailing_breaks);
            leading_blank = blank;
            while !self.is_breakz(0) {
                self.read(&mut token.text);
                self.chars.need(1)?;
            }
            self.chars.need(2)?;
            self.read_line(&mut leading_break);
            self.block_breaks(&mut header.indent, &mut trailing_breaks)?;
        }
        if !header.strip {
            token.text.append(&mut leading_break);
        }
        if header.keep {
            token.text.append(&mut trailing_breaks);
        }
        self.push(token);
        Ok(())
    }

    fn block_header(&mut self) -> Result<Header, YamlError> {
        self.skip();
        self.chars.need(1)?;
        let mut chomp = self.chomping()?;
        let mut increment = None;
        if let digit @ b'0'..=b'9' = self.chars.at(0) {
            if digit == b'0' {
                return Err(self.fault("found an indentation indicator equal to 0"));
            }
            increment = Some(usize::from(digit - b'0'));
            self.skip();
            self.chars.need(1)?;
            if chomp.is_none() {
                chomp = self.chomping()?;
            }
        }
        self.end_line()?;
        let indent = increment.map_or(0, |increment| self.floor.saturating_sub(1) + increment);
        Ok(Header {
            keep: chomp == Some(b'+'),
            strip: chomp == Some(b'-'),
            indent,
        })
    }

    fn chomping(&mut self) -> Result<Option<u8>, YamlError> {
        let sign = self.chars.at(0);
        if !matches!(sign, b'+' | b'-') {
            return Ok(None);
        }
        self.skip();
        self.chars.need(1)?;
        Ok(Some(sign))
    }

    /// Takes indentation and empty lines; finds the indentation if it is not known.
    fn block_breaks(&mut self, indent: &mut usize, breaks: &mut Vec<u8>) -> Result<(), YamlError> {
        let mut deepest = 0;
        loop {
            self.chars.need(1)?;
            while (*indent == 0 || self.mark.column < *indent) && self.chars.at(0) == b' ' {
                self.skip();
                self.chars.need(1)?;
            }
            deepest = deepest.max(self.mark.column);
            if (*indent == 0 || self.mark.column < *indent) && self.chars.at(0) == b'\t' {
                return Err(
                    self.fault("found a tab character where an indentation space is expected")
                );
            }
            if !self.is_break(0) {
                break;
            }
            self.chars.need(2)?;
            self.read_line(breaks);
        }
        if *indent == 0 {
            *indent = deepest.max(self.floor).max(1);
        }
        Ok(())
    }
}
