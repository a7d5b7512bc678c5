//! Documents for the differential test: written by a grammar, mutated from real ones, or soup.

#[path = "yaml_words.rs"]
mod words;

use words::{BREAKS, JSON, KEYS, PLAIN, QUOTED, REFUSED_NUMBERS, SOUP, SPLICES, TAGS};

fn mixed(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// `SplitMix64`: the same documents for the same seed, everywhere.
pub struct Random(u64);

impl Random {
    pub fn new(seed: u64) -> Self {
        // Mixed, or the next seed would give the same numbers one step later.
        Self(mixed(seed))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound.max(1) as u64).unwrap_or(0)
    }

    fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }

    fn pick<'a, T: ?Sized>(&mut self, list: &[&'a T]) -> &'a T {
        list[self.below(list.len())]
    }
}

struct Writer<'r> {
    random: &'r mut Random,
    out: String,
    anchors: Vec<String>,
    /// Collections that may still be opened.
    budget: usize,
    /// Whether everything is left out that is refused more often than not.
    calm: bool,
}

/// A document, mostly valid.
pub fn generated(random: &mut Random, _: &[Vec<u8>]) -> Vec<u8> {
    let (budget, calm) = (2 + random.below(8), !random.one_in(3));
    let mut writer = Writer {
        random,
        out: String::new(),
        anchors: Vec::new(),
        budget,
        calm,
    };
    writer.stream();
    let out = std::mem::take(&mut writer.out);
    encoded(random, &out)
}

fn encoded(random: &mut Random, text: &str) -> Vec<u8> {
    match random.below(60) {
        0 => [
            b"\xff\xfe".to_vec(),
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        ]
        .concat(),
        1 => [
            b"\xfe\xff".to_vec(),
            text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
        ]
        .concat(),
        2 => format!("\u{feff}{text}").into_bytes(),
        3 => format!("\u{feff}\u{feff}{text}").into_bytes(),
        4 => text.replace('\n', "\r\n").into_bytes(),
        5 => {
            let at = random.below(text.len() + 1);
            let at = (0..=at)
                .rev()
                .find(|&at| text.is_char_boundary(at))
                .unwrap_or(0);
            format!("{}\u{feff}{}", &text[..at], &text[at..]).into_bytes()
        }
        6 => format!("#{}\n{text}", "x".repeat(490 + random.below(30))).into_bytes(),
        _ => text.as_bytes().to_vec(),
    }
}

impl Writer<'_> {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
    }

    fn stream(&mut self) {
        match self.random.below(if self.calm { 300 } else { 30 }) {
            0 => self.put("%YAML 1.1\n---\n"),
            1 => self.put("%YAML 1.2\n---\n"),
            2 => self.put("%TAG !e! tag:yaml.org,2002:\n---\n"),
            3 => self.put("--- # c\n"),
            4 => self.put("# c\n\n"),
            5 => self.put("---\n---\n"),
            6 => self.put("\n\n"),
            7 | 8 => self.put("---\n"),
            9 => self.put("--- "),
            10 => self.put("%FOO bar\n---\n"),
            _ => {}
        }
        self.block(0, false);
        self.put("\n");
        match self.random.below(if self.calm { 240 } else { 24 }) {
            0 => self.put("---\nb: 2\n"),
            1 => self.put("...\n"),
            2 => self.put("...\n---\nb: [\n"),
            3 => self.put("---\n"),
            4 => self.put("# end"),
            5 => self.put("--- @\n"),
            6 => self.put("x"),
            _ => {}
        }
    }

    fn indent(&mut self, columns: usize) {
        self.out.extend(std::iter::repeat_n(' ', columns));
    }

    fn line(&mut self, columns: usize) {
        let end = self.random.pick(BREAKS);
        let end = if self.random.one_in(if self.calm { 30 } else { 3 }) {
            end
        } else {
            "\n"
        };
        self.out.push_str(end);
        self.indent(columns);
        if !self.calm && self.random.one_in(400) {
            self.put("\t");
        }
    }

    /// Anchor, tag, or both. Whether there is one.
    fn properties(&mut self) -> bool {
        let before = self.out.len();
        if self.random.one_in(12) {
            let name = format!("n{}", self.random.below(4));
            self.put(&format!("&{name} "));
            self.anchors.push(name);
        }
        if self.random.one_in(if self.calm { 600 } else { 25 }) {
            let tag = self.random.pick(TAGS);
            self.out.push_str(tag);
            self.put(" ");
        }
        self.out.len() > before
    }

    /// A node in block context whose children stand at `columns`. `inline`: behind `- ` or `: `.
    fn block(&mut self, columns: usize, inline: bool) {
        if self.budget == 0 || self.random.one_in(3) {
            return self.scalar(columns);
        }
        self.budget -= 1;
        match self.random.below(8) {
            0 | 1 => {
                if inline {
                    let marked = self.properties();
                    if marked || self.calm || self.random.one_in(3) {
                        self.line(columns);
                    }
                }
                self.sequence(columns);
            }
            2 | 3 => {
                self.properties();
                self.flow(3);
            }
            _ => {
                if inline {
                    self.properties();
                    self.line(columns);
                } else if !self.out.is_empty() && !self.out.ends_with('\n') {
                    self.line(columns);
                }
                self.mapping(columns);
            }
        }
    }

    fn sequence(&mut self, columns: usize) {
        for at in 0..=self.random.below(4) {
            if at > 0 {
                self.line(columns);
            }
            self.put("-");
            match if self.calm { 9 } else { self.random.below(10) } {
                0 => {}
                1 => self.put("\t"),
                2 => self.put("   "),
                _ => self.put(" "),
            }
            let step = 1 + self.random.below(3);
            match self.random.below(12) {
                0 => {}
                1 => {
                    self.put("- ");
                    self.scalar(columns + 4);
                }
                2..=4 => self.mapping(columns + 2),
                _ => self.block(columns + step, true),
            }
        }
    }

    fn mapping(&mut self, columns: usize) {
        for at in 0..=self.random.below(5) {
            if at > 0 {
                self.line(columns);
            }
            if self.random.one_in(9) {
                self.merge(columns);
                continue;
            }
            if self.random.one_in(if self.calm { 200 } else { 25 }) {
                self.put("? ");
                self.block(columns + 2, true);
                if self.random.one_in(4) {
                    continue;
                }
                self.line(columns);
            } else if self.random.one_in(60) {
                self.put("*n0 ");
            } else {
                let key = if self.random.one_in(if self.calm { 15 } else { 4 }) {
                    self.random.pick(KEYS)
                } else {
                    self.random.pick(&KEYS[..8])
                };
                self.out.push_str(key);
            }
            let colon = self.random_colon();
            self.out.push_str(colon);
            let step = if !self.calm && self.random.one_in(6) {
                0
            } else {
                1 + self.random.below(4)
            };
            self.block(columns + step, true);
        }
    }

    fn random_colon(&mut self) -> &'static str {
        match self.random.below(20) {
            0 => ":  ",
            1 => " : ",
            2 => ":\t",
            3 => ":",
            _ => ": ",
        }
    }

    fn merge(&mut self, columns: usize) {
        self.out.push_str(if self.random.one_in(20) {
            "!!merge <<: "
        } else {
            "<<: "
        });
        match self.random.below(8) {
            0 => self.put("{a: merged, c: 3}"),
            1 => self.put("[{a: m1}, {a: m2, b: m2}]"),
            2 => self.put(&format!("\n{}a: block", " ".repeat(columns + 2))),
            3 => {
                let (first, second) = (self.alias(), self.alias());
                self.put(&format!("[{first}, {second}]"));
            }
            4 if !self.calm => self.scalar(columns + 2),
            _ => {
                let alias = self.alias();
                self.out.push_str(&alias);
            }
        }
    }

    fn alias(&mut self) -> String {
        if self.anchors.is_empty() {
            return if self.random.one_in(8) {
                "*n0"
            } else {
                "{b: 9}"
            }
            .to_owned();
        }
        let at = self.random.below(self.anchors.len());
        format!("*{}", self.anchors[at])
    }

    fn scalar(&mut self, columns: usize) {
        if self.random.one_in(14) && !self.anchors.is_empty() {
            let alias = self.alias();
            return self.out.push_str(&alias);
        }
        self.properties();
        match self.random.below(16) {
            0 => {}
            1 | 2 => {
                let quoted = self.random.pick(QUOTED);
                self.out.push_str(quoted);
            }
            3 => self.block_scalar(columns),
            4 => self.folded(columns),
            5 if !self.calm && self.random.one_in(3) => {
                let number = self.random.pick(REFUSED_NUMBERS);
                self.out.push_str(number);
            }
            _ => {
                let plain = self.random.pick(PLAIN);
                self.out.push_str(plain);
            }
        }
    }

    fn block_scalar(&mut self, columns: usize) {
        self.out.push_str(self.random.pick(&["|", ">"]));
        let header = self.random.pick(if self.calm {
            &["", "-", "+", "1", "-1"]
        } else {
            &[
                "", "", "", "-", "+", "1", "2", "-2", "3+", "+1", "0", " # c", "x", "- ", "9",
            ]
        });
        self.out.push_str(header);
        self.put("\n");
        for _ in 0..self.random.below(5) {
            let extra = self.random.below(4);
            match self.random.below(9) {
                0 => self.put("\n"),
                1 => {
                    self.indent(columns + extra);
                    self.put("\n");
                }
                2 => {
                    self.indent(columns + 1);
                    self.put("\tx\n");
                }
                3 => {
                    self.indent(columns + 1 + extra);
                    self.put("deep\r\n");
                }
                _ => {
                    self.indent(columns + 1);
                    let text = self.random.pick(&[
                        "text", "- a", "# no", "a: b", " led", "trail  ", "é", "---", "...",
                    ]);
                    self.out.push_str(text);
                    self.put("\n");
                }
            }
        }
        self.indent(columns);
    }

    /// A plain or quoted scalar over several lines.
    fn folded(&mut self, columns: usize) {
        let quote = self.random.pick(&["", "", "'", "\""]);
        self.out.push_str(quote);
        self.put("one");
        for _ in 0..=self.random.below(3) {
            let end = self
                .random
                .pick(&["\n", "\n", "\n\n", " \n", "\n\t\n", "\r\n", "\u{2029}"]);
            self.out
                .push_str(if quote == "\"" && self.random.one_in(4) {
                    "\\\n"
                } else {
                    end
                });
            let extra = self.random.below(2);
            self.indent(columns + 1 + extra);
            let word = self.random.pick(&[
                "two",
                "two  three",
                "# c",
                "-",
                "x: y",
                "'",
                "\tt",
                "...",
                "]",
            ]);
            self.out.push_str(word);
        }
        self.out.push_str(quote);
    }

    fn space(&mut self) {
        let space = self
            .random
            .pick(&["", " ", " ", "  ", "\n ", "\n\t", " # c\n  ", "\n", "\t"]);
        self.out
            .push_str(if self.random.one_in(3) { space } else { " " });
    }

    fn flow(&mut self, depth: usize) {
        let map = self.random.one_in(2);
        self.out.push_str(if map { "{" } else { "[" });
        let count = self.random.below(4);
        for at in 0..count {
            self.space();
            self.flow_entry(map, depth);
            if at + 1 < count || self.random.one_in(6) {
                self.put(",");
            }
        }
        if self.random.one_in(4) {
            self.space();
        }
        if self.calm || !self.random.one_in(80) {
            self.out.push_str(if map { "}" } else { "]" });
        }
    }

    fn flow_entry(&mut self, map: bool, depth: usize) {
        if map || self.random.one_in(6) {
            match self.random.below(20) {
                0 => self.put("? "),
                1 => self.put("?"),
                _ => {}
            }
            let key = if self.random.one_in(if self.calm { 15 } else { 3 }) {
                self.random.pick(KEYS)
            } else {
                self.random.pick(&KEYS[..8])
            };
            match self.random.below(30) {
                0 => self.put("<<"),
                1 => {}
                2 => self.flow_node(0),
                _ => self.out.push_str(key),
            }
            match self.random.below(20) {
                0 => return,
                1 => self.put(":"),
                2 => self.put(":\n "),
                3 => self.put(" : "),
                4 => return self.put(": "),
                _ => self.put(": "),
            }
        }
        self.flow_node(depth);
    }

    fn flow_node(&mut self, depth: usize) {
        if depth > 0 && self.random.one_in(4) {
            self.properties();
            return self.flow(depth - 1);
        }
        if self.random.one_in(12) && !self.anchors.is_empty() {
            let alias = self.alias();
            return self.out.push_str(&alias);
        }
        self.properties();
        let text = if !self.calm && self.random.one_in(4) {
            self.random.pick(QUOTED)
        } else {
            self.random.pick(PLAIN)
        };
        self.out.push_str(text);
    }
}

/// One of `corpus` or a generated document, changed in a few places.
pub fn mutated(random: &mut Random, corpus: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = if random.one_in(3) {
        generated(random, corpus)
    } else {
        corpus[random.below(corpus.len())].clone()
    };
    for _ in 0..=random.below(4) {
        mutate(random, &mut bytes, corpus);
    }
    bytes
}

fn mutate(random: &mut Random, bytes: &mut Vec<u8>, corpus: &[Vec<u8>]) {
    let at = random.below(bytes.len() + 1);
    let end = (at + random.below(12)).min(bytes.len());
    match random.below(12) {
        0 => drop(bytes.drain(at..end)),
        1 => bytes.truncate(at),
        2 => {
            let copy = bytes[at..end].to_vec();
            let to = random.below(bytes.len() + 1);
            bytes.splice(to..to, copy);
        }
        3 => swap_lines(random, bytes),
        4 => {
            let other = &corpus[random.below(corpus.len())];
            let from = random.below(other.len() + 1);
            let to = (from + random.below(80)).min(other.len());
            bytes.splice(at..end, other[from..to].iter().copied());
        }
        5 => {
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1 << random.below(8);
            }
        }
        6 => drop(bytes.splice(at..end, random.pick(SPLICES).iter().copied())),
        _ => drop(bytes.splice(at..at, random.pick(SPLICES).iter().copied())),
    }
}

/// Repeats, drops or moves a line, or changes its indentation.
fn swap_lines(random: &mut Random, bytes: &mut Vec<u8>) {
    let mut lines: Vec<Vec<u8>> = bytes
        .split_inclusive(|&byte| byte == b'\n')
        .map(<[u8]>::to_vec)
        .collect();
    if lines.is_empty() {
        return;
    }
    let (from, to) = (random.below(lines.len()), random.below(lines.len()));
    match random.below(5) {
        0 => lines.swap(from, to),
        1 => {
            let line = lines[from].clone();
            lines.insert(to, line);
        }
        2 => drop(lines.remove(from)),
        3 => lines[from].insert(0, b' '),
        _ if lines[from].first() == Some(&b' ') => drop(lines[from].remove(0)),
        _ => {}
    }
    *bytes = lines.concat();
}

/// Characters that mean something, in any order: what no writer would write.
pub fn soup(random: &mut Random, _: &[Vec<u8>]) -> Vec<u8> {
    let json = random.one_in(6);
    let mut bytes = if json { b"{".to_vec() } else { Vec::new() };
    let words: &[&[u8]] = if json { JSON } else { SOUP };
    // Few words at a time, so that they meet often.
    let chosen: Vec<&[u8]> = (0..2 + random.below(8))
        .map(|_| random.pick(words))
        .collect();
    for _ in 0..=random.below(24) {
        let word = if random.one_in(8) {
            random.pick(words)
        } else {
            random.pick(&chosen)
        };
        bytes.extend_from_slice(word);
    }
    if random.one_in(15) {
        // To the edges of the reader's chunks and of the longest simple key.
        let edge = [500, 1010, 1500][random.below(3)] + random.below(28);
        let at = random.below(bytes.len() + 1);
        let filler = [b'x', b' ', b'-', b'\n', b'a', b'['][random.below(6)];
        bytes.splice(at..at, std::iter::repeat_n(filler, edge));
    }
    bytes
}
