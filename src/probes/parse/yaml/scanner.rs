//! Characters to tokens: go-yaml v2 `scannerc.go`, the part that knows indentation and implicit keys.
//!
//! libyaml's `indent` (-1 outside of any block) is kept plus one, as `floor`: the first column at which
//! something may belong to the current block.

use std::collections::{HashMap, VecDeque};

use super::YamlError;
use super::reader::Reader;
use super::token::{Kind, Mark, Token};

/// A place where a key may turn out to start, once its `:` is seen.
#[derive(Clone, Copy, Default)]
struct SimpleKey {
    possible: bool,
    required: bool,
    token: usize,
    mark: Mark,
}

pub(super) struct Scanner<'a> {
    pub(super) chars: Reader<'a>,
    pub(super) mark: Mark,
    pub(super) floor: usize,
    pub(super) flow_level: usize,
    pub(super) key_allowed: bool,
    tokens: VecDeque<Token>,
    /// Tokens that the grammar has taken.
    taken: usize,
    ready: bool,
    floors: Vec<usize>,
    keys: Vec<SimpleKey>,
    /// Token number to index in `keys`. Stale entries stay, as in the original.
    key_by_token: HashMap<usize, usize>,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(input: &'a [u8]) -> Self {
        Self {
            chars: Reader::new(input),
            mark: Mark::default(),
            floor: 0,
            flow_level: 0,
            key_allowed: false,
            tokens: VecDeque::new(),
            taken: 0,
            ready: false,
            floors: Vec::new(),
            keys: Vec::new(),
            key_by_token: HashMap::new(),
        }
    }

    /// Kind and place of the next token.
    pub(super) fn peek(&mut self) -> Result<(Kind, Mark), YamlError> {
        if !self.ready {
            self.fetch_more()?;
        }
        match self.tokens.front() {
            Some(token) => Ok((token.kind, token.start)),
            None => Err(self.fault("did not find expected token")),
        }
    }

    /// Takes the token that `peek` showed.
    pub(super) fn take(&mut self) -> Result<Token, YamlError> {
        self.peek()?;
        self.ready = false;
        self.taken += 1;
        self.tokens
            .pop_front()
            .ok_or_else(|| self.fault("did not find expected token"))
    }

    /// A refusal at the current place.
    pub(super) fn fault(&self, message: &str) -> YamlError {
        YamlError::at(self.mark, message)
    }

    fn fetch_more(&mut self) -> Result<(), YamlError> {
        loop {
            if !self.tokens.is_empty() {
                let Some(&index) = self.key_by_token.get(&self.taken) else {
                    break;
                };
                if !self.key_is_valid(index)? {
                    break;
                }
            }
            self.fetch()?;
        }
        self.ready = true;
        Ok(())
    }

    fn fetch(&mut self) -> Result<(), YamlError> {
        self.chars.need(1)?;
        // No slot for a key yet: nothing was scanned.
        if self.keys.is_empty() {
            self.fetch_stream_start();
            return Ok(());
        }
        self.skip_to_token()?;
        self.unroll(self.mark.column + 1);
        self.chars.need(4)?;
        if self.mark.column == 0 {
            if self.chars.at(0) == b'%' {
                return self.fetch_directive();
            }
            if let Some(kind) = self.document_indicator() {
                return self.fetch_document_indicator(kind);
            }
        }
        let block = self.flow_level == 0;
        let apart = self.is_blankz(1);
        match self.chars.at(0) {
            0 => self.fetch_stream_end(),
            b'[' => self.fetch_flow_start(Kind::FlowSequenceStart),
            b'{' => self.fetch_flow_start(Kind::FlowMappingStart),
            b']' => self.fetch_flow_end(Kind::FlowSequenceEnd),
            b'}' => self.fetch_flow_end(Kind::FlowMappingEnd),
            b',' => self.fetch_flow_entry(),
            b'-' if apart => self.fetch_block_entry(),
            b'?' if !block || apart => self.fetch_key(),
            b':' if !block || apart => self.fetch_value(),
            b'*' => self.fetch_anchor(Kind::Alias),
            b'&' => self.fetch_anchor(Kind::Anchor),
            b'!' => self.fetch_tag(),
            b'|' if block => self.fetch_block_scalar(true),
            b'>' if block => self.fetch_block_scalar(false),
            b'\'' => self.fetch_quoted(true),
            b'"' => self.fetch_quoted(false),
            b'\t' | b'#' | b'|' | b'>' | b'%' | b'@' | b'`' => {
                Err(self.fault("found character that cannot start any token"))
            }
            _ => self.fetch_plain(),
        }
    }

    /// `---` or `...` with a blank behind it, at the current place.
    pub(super) fn document_indicator(&self) -> Option<Kind> {
        let three = [self.chars.at(0), self.chars.at(1), self.chars.at(2)];
        match &three {
            b"---" if self.is_blankz(3) => Some(Kind::DocumentStart),
            b"..." if self.is_blankz(3) => Some(Kind::DocumentEnd),
            _ => None,
        }
    }

    fn key_is_valid(&mut self, index: usize) -> Result<bool, YamlError> {
        let mark = self.mark;
        let Some(key) = self.keys.get_mut(index) else {
            // The original would stop with an index out of range here.
            return Err(YamlError::Differs {
                line: mark.line + 1,
                what: "a key that the kubelet may crash on".to_owned(),
            });
        };
        if !key.possible {
            return Ok(false);
        }
        if key.mark.line < mark.line || key.mark.index + 1024 < mark.index {
            if key.required {
                return Err(YamlError::at(key.mark, "could not find expected ':'"));
            }
            key.possible = false;
            return Ok(false);
        }
        Ok(true)
    }

    pub(super) fn save_key(&mut self) -> Result<(), YamlError> {
        if !self.key_allowed {
            return Ok(());
        }
        let required = self.flow_level == 0 && self.floor == self.mark.column + 1;
        let token = self.taken + self.tokens.len();
        self.remove_key()?;
        if let Some(last) = self.keys.last_mut() {
            *last = SimpleKey {
                possible: true,
                required,
                token,
                mark: self.mark,
            };
            self.key_by_token.insert(token, self.keys.len() - 1);
        }
        Ok(())
    }

    pub(super) fn remove_key(&mut self) -> Result<(), YamlError> {
        let Some(key) = self.keys.last_mut() else {
            return Ok(());
        };
        if key.possible {
            if key.required {
                return Err(YamlError::at(key.mark, "could not find expected ':'"));
            }
            key.possible = false;
            self.key_by_token.remove(&key.token);
        }
        Ok(())
    }

    /// Opens a block at `column`, its start token put before token number `before` (or last).
    fn roll(&mut self, column: usize, before: Option<usize>, kind: Kind, mark: Mark) {
        if self.flow_level > 0 || self.floor > column {
            return;
        }
        self.floors.push(self.floor);
        self.floor = column + 1;
        self.insert(before, Token::bare(kind, mark));
    }

    /// Closes the blocks that end before `floor`.
    fn unroll(&mut self, floor: usize) {
        if self.flow_level > 0 {
            return;
        }
        while self.floor > floor {
            self.push(Token::bare(Kind::BlockEnd, self.mark));
            self.floor = self.floors.pop().unwrap_or(0);
        }
    }

    pub(super) fn push(&mut self, token: Token) {
        self.tokens.push_back(token);
    }

    fn insert(&mut self, before: Option<usize>, token: Token) {
        let last = self.tokens.len();
        let place = before
            .and_then(|number| number.checked_sub(self.taken))
            .map_or(last, |place| place.min(last));
        self.tokens.insert(place, token);
    }

    fn fetch_stream_start(&mut self) {
        self.keys.push(SimpleKey::default());
        self.key_allowed = true;
        self.push(Token::bare(Kind::StreamStart, self.mark));
    }

    fn fetch_stream_end(&mut self) -> Result<(), YamlError> {
        if self.mark.column != 0 {
            self.mark.column = 0;
            self.mark.line += 1;
        }
        self.close_blocks()?;
        self.push(Token::bare(Kind::StreamEnd, self.mark));
        Ok(())
    }

    fn close_blocks(&mut self) -> Result<(), YamlError> {
        self.unroll(0);
        self.remove_key()?;
        self.key_allowed = false;
        Ok(())
    }

    fn fetch_directive(&mut self) -> Result<(), YamlError> {
        self.close_blocks()?;
        let token = self.scan_directive()?;
        self.push(token);
        Ok(())
    }

    fn fetch_document_indicator(&mut self, kind: Kind) -> Result<(), YamlError> {
        self.close_blocks()?;
        let start = self.mark;
        self.skip();
        self.skip();
        self.skip();
        self.push(Token::bare(kind, start));
        Ok(())
    }

    fn indicator(&mut self, kind: Kind) {
        let start = self.mark;
        self.skip();
        self.push(Token::bare(kind, start));
    }

    fn fetch_flow_start(&mut self, kind: Kind) -> Result<(), YamlError> {
        self.save_key()?;
        let token = self.taken + self.tokens.len();
        self.keys.push(SimpleKey {
            token,
            mark: self.mark,
            ..SimpleKey::default()
        });
        self.flow_level += 1;
        self.key_allowed = true;
        self.indicator(kind);
        Ok(())
    }

    fn fetch_flow_end(&mut self, kind: Kind) -> Result<(), YamlError> {
        self.remove_key()?;
        if self.flow_level > 0 {
            self.flow_level -= 1;
            if let Some(key) = self.keys.pop() {
                self.key_by_token.remove(&key.token);
            }
        }
        self.key_allowed = false;
        self.indicator(kind);
        Ok(())
    }

    fn fetch_flow_entry(&mut self) -> Result<(), YamlError> {
        self.remove_key()?;
        self.key_allowed = true;
        self.indicator(Kind::FlowEntry);
        Ok(())
    }

    fn fetch_block_entry(&mut self) -> Result<(), YamlError> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.fault("block sequence entries are not allowed in this context"));
            }
            self.roll(self.mark.column, None, Kind::BlockSequenceStart, self.mark);
        }
        self.remove_key()?;
        self.key_allowed = true;
        self.indicator(Kind::BlockEntry);
        Ok(())
    }

    fn fetch_key(&mut self) -> Result<(), YamlError> {
        if self.flow_level == 0 {
            if !self.key_allowed {
                return Err(self.fault("mapping keys are not allowed in this context"));
            }
            self.roll(self.mark.column, None, Kind::BlockMappingStart, self.mark);
        }
        self.remove_key()?;
        self.key_allowed = self.flow_level == 0;
        self.indicator(Kind::Key);
        Ok(())
    }

    fn fetch_value(&mut self) -> Result<(), YamlError> {
        let last = self.keys.len().saturating_sub(1);
        if self.key_is_valid(last)? {
            let key = self.keys[last];
            self.insert(Some(key.token), Token::bare(Kind::Key, key.mark));
            self.roll(
                key.mark.column,
                Some(key.token),
                Kind::BlockMappingStart,
                key.mark,
            );
            self.keys[last].possible = false;
            self.key_by_token.remove(&key.token);
            self.key_allowed = false;
        } else {
            if self.flow_level == 0 {
                if !self.key_allowed {
                    return Err(self.fault("mapping values are not allowed in this context"));
                }
                self.roll(self.mark.column, None, Kind::BlockMappingStart, self.mark);
            }
            self.key_allowed = self.flow_level == 0;
        }
        self.indicator(Kind::Value);
        Ok(())
    }
}
