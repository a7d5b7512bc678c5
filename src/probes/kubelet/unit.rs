//! How the kubelet's unit would start it: the words of its command line, each with the file that gives it.

use super::flags::Flags;
use crate::model::kubelet::{Given, UnitFlags};
use crate::model::text::Text;
use crate::probes::answer::{Answer, Content};

const SHOW: &str = "systemctl show kubelet";
/// As the service manager shows `ExecStart=` and `Environment=`: the unit with its drop-ins merged.
const UNIT: &str = "kubelet.service";
/// Words of a command line that are looked at, and their bytes: a real one has some twenty.
const WORDS: usize = 1024;
const BYTES: usize = 256 << 10;
/// Flags that are named where unit and process differ.
const NAMED: usize = 16;

/// A unit that starts a kubelet.
pub(super) struct Unit {
    words: Vec<Word>,
    /// Whether the words are surely those that the service manager would make: no quoting that can be read in
    /// two ways, and every file of environment was read.
    certain: bool,
}

struct Word {
    text: String,
    given: Given,
}

struct Variable {
    name: String,
    value: String,
    given: Given,
}

impl Unit {
    /// None where there is no unit, or it starts nothing.
    pub(super) fn read(answer: &Answer<'_>) -> Option<Self> {
        let Some(Content::Whole(text)) = answer.content("kubelet", SHOW, &[0]) else {
            return None;
        };
        let text = String::from_utf8_lossy(text);
        let (_, argv) = text
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart=")?.split_once("argv[]="))?;
        // Some versions quote a variable for a shell.
        let argv = argv.split(" ; ").next().unwrap_or(argv);
        let argv = argv.replace("\"\\$", "\"$");
        let mut certain = true;
        let variables = variables(answer, &text, &mut certain);
        let mut words = Vec::new();
        let mut room = BYTES;
        for word in argv.split_ascii_whitespace() {
            let quoted = word
                .strip_prefix('"')
                .and_then(|word| word.strip_suffix('"'));
            let word = quoted.filter(|word| word.starts_with('$')).unwrap_or(word);
            certain &= !word.contains(['"', '\'', '\\']);
            words.extend(expand(word, &variables, &mut room));
            if room == 0 || words.len() > WORDS {
                return None;
            }
        }
        Some(Self { words, certain })
    }

    /// The program first.
    pub(super) fn words(&self) -> Vec<String> {
        self.words.iter().map(|word| word.text.clone()).collect()
    }

    /// What gives each flag, by its name.
    pub(super) fn given(&self) -> Vec<(String, Given)> {
        let flags = self.flags();
        let given = flags.iter().filter_map(|flag| {
            let word = self.words.get(flag.at + 1)?;
            Some((flag.name.clone(), word.given.clone()))
        });
        given.collect()
    }

    /// The same of flags that a running kubelet has with the same value.
    pub(super) fn given_to(&self, process: &[String]) -> Vec<(String, Given)> {
        if process.len() > WORDS {
            return Vec::new();
        }
        let running = Flags::read(process.get(1..).unwrap_or_default(), false);
        let own = self.flags();
        let mut given = self.given();
        given.retain(|(name, _)| {
            let last = |flags: &Flags| {
                let all = flags.iter().filter(|flag| flag.name == *name);
                all.last().map(|flag| flag.value.clone())
            };
            last(&running) == last(&own)
        });
        given
    }

    /// Where the unit would give a running kubelet other flags. None where that cannot be told.
    pub(super) fn compare(&self, process: &[String]) -> Option<UnitFlags> {
        let program = |word: Option<&str>| {
            word.is_some_and(|word| word == "kubelet" || word.ends_with("/kubelet"))
        };
        let own = self.words.first().map(|word| word.text.as_str());
        // A wrapper adds what it likes.
        if !self.certain
            || process.len() > WORDS
            || !program(own)
            || !program(process.first().map(String::as_str))
        {
            return None;
        }
        let running = Flags::read(process.get(1..).unwrap_or_default(), false);
        let own = self.flags();
        Some(UnitFlags {
            unit: missing(&own, &running),
            process: missing(&running, &own),
        })
    }

    fn flags(&self) -> Flags {
        let words: Vec<String> = self.words().into_iter().skip(1).collect();
        Flags::read(&words, false)
    }
}

/// Names of flags that `other` does not have with the same values in the same order.
fn missing(flags: &Flags, other: &Flags) -> Vec<Text> {
    let values = |flags: &Flags, name: &str| -> Vec<Option<String>> {
        let all = flags.iter().filter(|flag| flag.name == name);
        all.map(|flag| flag.value.clone()).collect()
    };
    let mut out: Vec<Text> = Vec::new();
    for flag in flags.iter() {
        let name = Text::from(format!("--{}", flag.name));
        let same = values(flags, &flag.name) == values(other, &flag.name);
        if !same && !out.contains(&name) && out.len() < NAMED {
            out.push(name);
        }
    }
    out
}

/// Later ones count: `Environment=`, then the files in their order (systemd.exec(5)).
fn variables(answer: &Answer<'_>, text: &str, certain: &mut bool) -> Vec<Variable> {
    let mut out = Vec::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("Environment=") {
            assignments(rest, &mut out);
            *certain &= !rest.contains(['\\', '\'']);
        }
    }
    for line in text.lines() {
        let Some(file) = line.strip_prefix("EnvironmentFiles=") else {
            continue;
        };
        let file = file.split(" (").next().unwrap_or(file);
        match answer.file("kubelet", file.as_bytes()) {
            Some(Content::Whole(text)) => {
                environment(file, &String::from_utf8_lossy(text), &mut out, certain);
            }
            _ if answer.refusal("kubelet", file.as_bytes()) == Some(b"absent") => {}
            _ => *certain = false,
        }
    }
    out
}

/// A file of environment, one assignment a line.
fn environment(file: &str, text: &str, out: &mut Vec<Variable>, certain: &mut bool) {
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.starts_with(['#', ';']) {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            continue;
        };
        let value = value.trim().trim_matches(['"', '\'']);
        *certain &= !value.contains(['"', '\'', '\\']);
        out.push(Variable {
            name: name.trim().to_owned(),
            value: value.to_owned(),
            given: Given {
                file: Text::new(file),
                line: number,
            },
        });
    }
}

fn of_unit() -> Given {
    Given {
        file: Text::new(UNIT),
        line: 0,
    }
}

/// `"A=b c" D=e`, as systemctl prints an environment.
fn assignments(text: &str, out: &mut Vec<Variable>) {
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (word, tail) = match rest.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
            None => rest.split_once(' ').unwrap_or((rest, "")),
        };
        if let Some((name, value)) = word.split_once('=') {
            out.push(Variable {
                name: name.to_owned(),
                value: value.to_owned(),
                given: of_unit(),
            });
        }
        rest = tail.trim_start();
    }
}

/// `$NAME` as a word of its own is split at blanks, `${NAME}` is not and may be a part of a word
/// (systemd.service(5)). `room`: bytes that are left, none where they were too few.
fn expand(word: &str, variables: &[Variable], room: &mut usize) -> Vec<Word> {
    let find = |name: &str| variables.iter().rfind(|known| known.name == name);
    let name = word.strip_prefix('$').filter(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    });
    if let Some(name) = name {
        let Some(variable) = find(name) else {
            return Vec::new();
        };
        *room = room.saturating_sub(variable.value.len() + 1);
        let parts = variable.value.split_ascii_whitespace();
        return parts
            .take(WORDS + 1)
            .map(|part| Word {
                text: part.trim_matches(['"', '\'']).to_owned(),
                given: variable.given.clone(),
            })
            .collect();
    }
    let mut out = Word {
        text: String::with_capacity(word.len()),
        given: of_unit(),
    };
    let mut rest = word;
    while let Some((head, tail)) = rest.split_once("${") {
        let Some((name, after)) = tail.split_once('}') else {
            break;
        };
        out.text.push_str(head);
        if let Some(variable) = find(name) {
            *room = room.saturating_sub(variable.value.len() + 1);
            if *room == 0 {
                break;
            }
            out.text.push_str(&variable.value);
            out.given = variable.given.clone();
        }
        rest = after;
    }
    out.text.push_str(rest);
    vec![out]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variables(text: &str) -> Vec<Variable> {
        let mut out = Vec::new();
        environment("/etc/default/kubelet", text, &mut out, &mut true);
        out
    }

    fn unit(words: &[&str]) -> Unit {
        let known = variables("# args\nA=\"--x=1 --y 2\"\nB=b\nE=\n");
        Unit {
            words: words
                .iter()
                .flat_map(|word| expand(word, &known, &mut 1000))
                .collect(),
            certain: true,
        }
    }

    fn argv(line: &str) -> Vec<String> {
        line.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn words_are_made_as_systemd_makes_them() {
        let made = unit(&["/usr/bin/kubelet", "$A", "--z=${B}-${B}", "$E", "$NONE"]);
        assert_eq!(
            made.words(),
            ["/usr/bin/kubelet", "--x=1", "--y", "2", "--z=b-b"]
        );
        let given: Vec<String> = made
            .given()
            .into_iter()
            .map(|(name, given)| format!("{name} {}:{}", given.file, given.line))
            .collect();
        assert_eq!(
            given,
            [
                "x /etc/default/kubelet:2",
                "y /etc/default/kubelet:2",
                "z /etc/default/kubelet:3"
            ]
        );
    }

    #[test]
    fn a_process_that_differs_from_its_unit() {
        let made = unit(&["/usr/bin/kubelet", "--a=1", "$A"]);
        let same = made.compare(&argv("kubelet --y 2 --a=1 --x=1"));
        assert_eq!(same, Some(UnitFlags::default()));
        let other = made.compare(&argv("/usr/bin/kubelet --a=1 --x=2 --q"));
        let names = |list: &[Text]| list.iter().map(Text::to_string).collect::<Vec<_>>();
        let other = other.expect("it can be told");
        assert_eq!(names(&other.unit), ["--x", "--y"]);
        assert_eq!(names(&other.process), ["--x", "--q"]);
        let given = made.given_to(&argv("/usr/bin/kubelet --a=1 --x=2 --y 2"));
        assert_eq!(
            given.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["a", "y"]
        );
        assert_eq!(made.compare(&argv("/usr/bin/hyperkube --a=1")), None);
        let unsure = Unit {
            certain: false,
            ..made
        };
        assert_eq!(unsure.compare(&argv("kubelet --a=1")), None);
    }

    #[test]
    fn a_word_cannot_grow_without_end() {
        let known = vec![Variable {
            name: "A".to_owned(),
            value: "x".repeat(600),
            given: of_unit(),
        }];
        let mut room = 1000;
        let grown = expand(&"${A}".repeat(50), &known, &mut room);
        assert_eq!(room, 0);
        assert!(grown.iter().all(|word| word.text.len() < 1000));
    }
}
