//! Single characters, blanks, comments, directives, tags and anchors: the lower part of `scannerc.go`.

use super::YamlError;
use super::reader::width;
use super::scanner::Scanner;
use super::token::{Kind, Token};

impl Scanner<'_> {
    pub(super) fn skip(&mut self) {
        self.chars.next();
        self.mark.index += 1;
        self.mark.column += 1;
    }

    pub(super) fn read(&mut self, into: &mut Vec<u8>) {
        into.extend_from_slice(self.chars.next());
        self.mark.index += 1;
        self.mark.column += 1;
    }

    /// Takes a line break, if there is one.
    pub(super) fn skip_line(&mut self) {
        let mut ignored = Vec::new();
        self.read_line(&mut ignored);
    }

    /// Takes a line break, if there is one; CR, CRLF and NEL become LF.
    pub(super) fn read_line(&mut self, into: &mut Vec<u8>) {
        if !self.is_break(0) {
            return;
        }
        if self.chars.at(0) == b'\r' && self.chars.at(1) == b'\n' {
            self.chars.next();
            self.mark.index += 1;
        }
        match self.chars.next() {
            kept @ [0xe2, ..] => into.extend_from_slice(kept),
            _ => into.push(b'\n'),
        }
        self.mark.index += 1;
        self.mark.column = 0;
        self.mark.line += 1;
    }

    pub(super) fn is_blank(&self, ahead: usize) -> bool {
        matches!(self.chars.at(ahead), b' ' | b'\t')
    }

    pub(super) fn is_break(&self, ahead: usize) -> bool {
        match self.chars.at(ahead) {
            b'\r' | b'\n' => true,
            0xc2 => self.chars.at(ahead + 1) == 0x85,
            0xe2 => {
                self.chars.at(ahead + 1) == 0x80 && matches!(self.chars.at(ahead + 2), 0xa8 | 0xa9)
            }
            _ => false,
        }
    }

    pub(super) fn is_breakz(&self, ahead: usize) -> bool {
        self.chars.at(ahead) == 0 || self.is_break(ahead)
    }

    pub(super) fn is_blankz(&self, ahead: usize) -> bool {
        self.is_blank(ahead) || self.is_breakz(ahead)
    }

    fn is_word(&self) -> bool {
        matches!(self.chars.at(0), b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'_' | b'-')
    }

    pub(super) fn skip_blanks(&mut self) -> Result<(), YamlError> {
        self.chars.need(1)?;
        while self.is_blank(0) {
            self.skip();
            self.chars.need(1)?;
        }
        Ok(())
    }

    fn skip_comment(&mut self) -> Result<(), YamlError> {
        if self.chars.at(0) == b'#' {
            while !self.is_breakz(0) {
                self.skip();
                self.chars.need(1)?;
            }
        }
        Ok(())
    }

    /// Takes blanks, a comment and the line break; anything else is a fault.
    pub(super) fn end_line(&mut self) -> Result<(), YamlError> {
        self.skip_blanks()?;
        self.skip_comment()?;
        if !self.is_breakz(0) {
            return Err(self.fault("did not find expected comment or line break"));
        }
        if self.is_break(0) {
            self.chars.need(2)?;
            self.skip_line();
        }
        Ok(())
    }

    /// Takes blanks, comments and line breaks up to the next token.
    pub(super) fn skip_to_token(&mut self) -> Result<(), YamlError> {
        loop {
            self.chars.need(1)?;
            if self.mark.column == 0 && self.chars.window_has_bom() {
                self.skip();
            }
            self.chars.need(1)?;
            while self.chars.at(0) == b' '
                || ((self.flow_level > 0 || !self.key_allowed) && self.chars.at(0) == b'\t')
            {
                self.skip();
                self.chars.need(1)?;
            }
            self.skip_comment()?;
            if !self.is_break(0) {
                return Ok(());
            }
            self.chars.need(2)?;
            self.skip_line();
            if self.flow_level == 0 {
                self.key_allowed = true;
            }
        }
    }

    fn read_word(&mut self, into: &mut Vec<u8>) -> Result<(), YamlError> {
        self.chars.need(1)?;
        while self.is_word() {
            self.read(into);
            self.chars.need(1)?;
        }
        Ok(())
    }

    /// `%YAML 1.1` or `%TAG !handle! prefix`.
    pub(super) fn scan_directive(&mut self) -> Result<Token, YamlError> {
        let start = self.mark;
        self.skip();
        let mut name = Vec::new();
        self.read_word(&mut name)?;
        if name.is_empty() {
            return Err(YamlError::at(
                start,
                "could not find expected directive name",
            ));
        }
        if !self.is_blankz(0) {
            return Err(YamlError::at(
                start,
                "found unexpected non-alphabetical character",
            ));
        }
        let mut token = match name.as_slice() {
            b"YAML" => Token::bare(Kind::Version, start),
            b"TAG" => Token::bare(Kind::TagDirective, start),
            _ => return Err(YamlError::at(start, "found unknown directive name")),
        };
        self.skip_blanks()?;
        if token.kind == Kind::Version {
            token.text = vec![self.version_number()?];
            if self.chars.at(0) != b'.' {
                return Err(self.fault("did not find expected digit or '.' character"));
            }
            self.skip();
            token.rest = vec![self.version_number()?];
        } else {
            token.text = self.tag_handle(true)?;
            self.chars.need(1)?;
            if !self.is_blank(0) {
                return Err(self.fault("did not find expected whitespace"));
            }
            self.skip_blanks()?;
            token.rest = self.tag_uri(&[])?;
            self.chars.need(1)?;
            if !self.is_blankz(0) {
                return Err(self.fault("did not find expected whitespace or line break"));
            }
        }
        self.end_line()?;
        Ok(token)
    }

    fn version_number(&mut self) -> Result<u8, YamlError> {
        self.chars.need(1)?;
        let (mut value, mut length) = (0, 0);
        while let digit @ b'0'..=b'9' = self.chars.at(0) {
            length += 1;
            if length > 2 {
                return Err(self.fault("found extremely long version number"));
            }
            value = value * 10 + (digit - b'0');
            self.skip();
            self.chars.need(1)?;
        }
        if length == 0 {
            return Err(self.fault("did not find expected version number"));
        }
        Ok(value)
    }

    pub(super) fn fetch_anchor(&mut self, kind: Kind) -> Result<(), YamlError> {
        self.save_key()?;
        self.key_allowed = false;
        let mut token = Token::bare(kind, self.mark);
        self.skip();
        self.read_word(&mut token.text)?;
        let ended = self.is_blankz(0)
            || matches!(
                self.chars.at(0),
                b'?' | b':' | b',' | b']' | b'}' | b'%' | b'@' | b'`'
            );
        if token.text.is_empty() || !ended {
            return Err(self.fault("did not find expected alphabetic or numeric character"));
        }
        self.push(token);
        Ok(())
    }

    pub(super) fn fetch_tag(&mut self) -> Result<(), YamlError> {
        self.save_key()?;
        self.key_allowed = false;
        let mut token = Token::bare(Kind::Tag, self.mark);
        self.chars.need(2)?;
        if self.chars.at(1) == b'<' {
            self.skip();
            self.skip();
            token.rest = self.tag_uri(&[])?;
            if self.chars.at(0) != b'>' {
                return Err(self.fault("did not find the expected '>'"));
            }
            self.skip();
        } else {
            let handle = self.tag_handle(false)?;
            if handle.len() > 1 && handle.ends_with(b"!") {
                token.rest = self.tag_uri(&[])?;
                token.text = handle;
            } else {
                token.rest = self.tag_uri(&handle)?;
                token.text = vec![b'!'];
                if token.rest.is_empty() {
                    token.text.clear();
                    token.rest = vec![b'!'];
                }
            }
        }
        self.chars.need(1)?;
        if !self.is_blankz(0) {
            return Err(self.fault("did not find expected whitespace or line break"));
        }
        self.push(token);
        Ok(())
    }

    fn tag_handle(&mut self, directive: bool) -> Result<Vec<u8>, YamlError> {
        self.chars.need(1)?;
        if self.chars.at(0) != b'!' {
            return Err(self.fault("did not find expected '!'"));
        }
        let mut handle = Vec::new();
        self.read(&mut handle);
        self.read_word(&mut handle)?;
        if self.chars.at(0) == b'!' {
            self.read(&mut handle);
        } else if directive && handle != b"!" {
            return Err(self.fault("did not find expected '!'"));
        }
        Ok(handle)
    }

    /// The rest of a tag behind `head`, whose `!` is dropped.
    fn tag_uri(&mut self, head: &[u8]) -> Result<Vec<u8>, YamlError> {
        let mut uri = head.get(1..).unwrap_or_default().to_vec();
        let mut found = !head.is_empty();
        self.chars.need(1)?;
        while self.is_word() || b";/?:@&=+$,.!~*'()[]%".contains(&self.chars.at(0)) {
            if self.chars.at(0) == b'%' {
                self.uri_escape(&mut uri)?;
            } else {
                self.read(&mut uri);
            }
            self.chars.need(1)?;
            found = true;
        }
        if !found {
            return Err(self.fault("did not find expected tag URI"));
        }
        Ok(uri)
    }

    /// `%C3%A9`: the octets of one character.
    fn uri_escape(&mut self, into: &mut Vec<u8>) -> Result<(), YamlError> {
        let mut left = None;
        while left != Some(0) {
            self.chars.need(3)?;
            let digits = (hex(self.chars.at(1)), hex(self.chars.at(2)));
            let (b'%', (Some(high), Some(low))) = (self.chars.at(0), digits) else {
                return Err(self.fault("did not find URI escaped octet"));
            };
            let octet = high << 4 | low;
            let rest = match left {
                None if width(octet) == 0 => {
                    return Err(self.fault("found an incorrect leading UTF-8 octet"));
                }
                None => width(octet),
                Some(_) if octet & 0xc0 != 0x80 => {
                    return Err(self.fault("found an incorrect trailing UTF-8 octet"));
                }
                Some(rest) => rest,
            };
            into.push(octet);
            self.skip();
            self.skip();
            self.skip();
            left = Some(rest - 1);
        }
        Ok(())
    }
}

/// The value of a hexadecimal digit.
pub(super) fn hex(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}
