//! Bytes to characters: go-yaml v2 `readerc.go`.
//!
//! The window and its refills are those of the original to the byte, because two of its quirks show:
//! bytes that are no text are an error only once the window reaches them (so garbage far behind the first
//! document goes unseen), and the byte order mark of a line is looked for at the start of the *window*.

use super::YamlError;

/// `input_raw_buffer_size` of `yamlprivateh.go`.
const CHUNK: usize = 512;

#[derive(Clone, Copy)]
enum Encoding {
    Utf8,
    Utf16 { low: usize, high: usize },
}

/// The scanner's view of the input: decoded characters (as UTF-8), NUL behind the last one.
pub(super) struct Reader<'a> {
    input: &'a [u8],
    encoding: Option<Encoding>,
    /// `raw_at..raw_end` is what was "read" from the input and is not decoded yet.
    raw_at: usize,
    raw_end: usize,
    eof: bool,
    window: Vec<u8>,
    pos: usize,
    /// Characters in the window behind `pos`.
    unread: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self {
            input,
            encoding: None,
            raw_at: 0,
            raw_end: 0,
            eof: false,
            window: Vec::new(),
            pos: 0,
            unread: 0,
        }
    }

    /// The byte `ahead` of the current one. NUL is the end: the input itself cannot hold one.
    pub(super) fn at(&self, ahead: usize) -> u8 {
        self.window.get(self.pos + ahead).copied().unwrap_or(0)
    }

    /// Whether the window (not the line: see the module) starts with a byte order mark.
    pub(super) fn window_has_bom(&self) -> bool {
        self.window.starts_with(b"\xef\xbb\xbf")
    }

    /// Takes one character.
    pub(super) fn next(&mut self) -> &[u8] {
        let from = self.pos;
        let end = (from + width(self.at(0)).max(1)).min(self.window.len());
        self.pos = end;
        self.unread = self.unread.saturating_sub(1);
        self.window.get(from..end).unwrap_or_default()
    }

    /// Makes sure that `count` characters can be looked at.
    pub(super) fn need(&mut self, count: usize) -> Result<(), YamlError> {
        if self.unread >= count {
            return Ok(());
        }
        if self.encoding.is_none() {
            self.find_encoding();
        }
        self.window.drain(..self.pos);
        self.pos = 0;
        let mut first = true;
        while self.unread < count {
            if !first || self.raw_at == self.raw_end {
                self.refill();
            }
            first = false;
            self.decode()?;
            if self.eof {
                self.window.push(0);
                self.unread += 1;
                break;
            }
        }
        if self.window.len() < count {
            self.window.resize(count, 0);
        }
        Ok(())
    }

    fn refill(&mut self) {
        if self.eof || self.raw_end - self.raw_at == CHUNK {
            return;
        }
        if self.raw_end == self.input.len() {
            self.eof = true;
            return;
        }
        self.raw_end = self.input.len().min(self.raw_at + CHUNK);
    }

    fn find_encoding(&mut self) {
        while !self.eof && self.raw_end - self.raw_at < 3 {
            self.refill();
        }
        let raw = &self.input[self.raw_at..self.raw_end];
        let (encoding, mark) = if raw.starts_with(b"\xff\xfe") {
            (Encoding::Utf16 { low: 0, high: 1 }, 2)
        } else if raw.starts_with(b"\xfe\xff") {
            (Encoding::Utf16 { low: 1, high: 0 }, 2)
        } else if raw.starts_with(b"\xef\xbb\xbf") {
            (Encoding::Utf8, 3)
        } else {
            (Encoding::Utf8, 0)
        };
        self.encoding = Some(encoding);
        self.raw_at += mark;
    }

    /// Decodes all complete characters of the chunk.
    fn decode(&mut self) -> Result<(), YamlError> {
        while self.raw_at != self.raw_end {
            let raw = &self.input[self.raw_at..self.raw_end];
            let decoded = match self.encoding {
                Some(Encoding::Utf16 { low, high }) => utf16(raw, low, high, self.eof),
                _ => utf8(raw, self.eof),
            };
            let Some((value, used)) = decoded.map_err(|what| self.fault(what))? else {
                return Ok(());
            };
            if !allowed(value) {
                return Err(self.fault("control characters are not allowed"));
            }
            self.raw_at += used;
            self.unread += 1;
            self.window
                .extend_from_slice(value.encode_utf8(&mut [0; 4]).as_bytes());
        }
        Ok(())
    }

    fn fault(&self, message: &str) -> YamlError {
        let before = &self.input[..self.raw_at];
        let line = before.split(|&byte| byte == b'\n').count();
        let column = before
            .rsplit(|&byte| byte == b'\n')
            .next()
            .map_or(0, <[u8]>::len)
            + 1;
        YamlError::Syntax {
            line,
            column,
            message: message.to_owned(),
        }
    }
}

/// Bytes of the character that `lead` starts, 0 if it starts none.
pub(super) fn width(lead: u8) -> usize {
    match lead {
        0x00..=0x7f => 1,
        0xc0..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf7 => 4,
        _ => 0,
    }
}

fn allowed(value: char) -> bool {
    matches!(value,
        '\t' | '\n' | '\r' | '\u{20}'..='\u{7e}' | '\u{85}' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

type Decoded = Result<Option<(char, usize)>, &'static str>;

/// One character, `None` if the chunk ends inside it.
fn utf8(raw: &[u8], eof: bool) -> Decoded {
    let used = raw.first().map_or(0, |&lead| width(lead));
    if used == 0 {
        return Err("invalid leading UTF-8 octet");
    }
    let Some(bytes) = raw.get(..used) else {
        return if eof {
            Err("incomplete UTF-8 octet sequence")
        } else {
            Ok(None)
        };
    };
    let text = std::str::from_utf8(bytes).map_err(|_| "invalid UTF-8 octet sequence")?;
    Ok(text.chars().next().map(|value| (value, used)))
}

/// One character, `None` if the chunk ends inside it.
fn utf16(raw: &[u8], low: usize, high: usize, eof: bool) -> Decoded {
    let unit = |from: usize| -> Option<u16> {
        Some(u16::from_le_bytes([
            *raw.get(from + low)?,
            *raw.get(from + high)?,
        ]))
    };
    let Some(first) = unit(0) else {
        return if eof {
            Err("incomplete UTF-16 character")
        } else {
            Ok(None)
        };
    };
    match first & 0xfc00 {
        0xdc00 => Err("unexpected low surrogate area"),
        0xd800 => {
            let Some(second) = unit(2) else {
                return if eof {
                    Err("incomplete UTF-16 surrogate pair")
                } else {
                    Ok(None)
                };
            };
            match char::decode_utf16([first, second]).next() {
                Some(Ok(value)) => Ok(Some((value, 4))),
                _ => Err("expected low surrogate area"),
            }
        }
        _ => Ok(char::from_u32(u32::from(first)).map(|value| (value, 2))),
    }
}
