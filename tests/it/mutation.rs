//! Whatever strangers can send, changed at random: no parser panics, none hangs, and none believes what it must not.
//!
//! Each target takes about a second; `STAKEOUT_FUZZ_SECONDS=3600` makes it an hour. A failure names the seed of its
//! input: `STAKEOUT_FUZZ_SEED=n` begins with that one. What has failed once belongs into
//! `tests/fixtures/corpus/<target>/`, so that it is tried first in every run.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use openssl::base64::{decode_block, encode_block};
use stakeout::collect::known_hosts::{Certificate, Key, KnownHosts, Verdict};
use stakeout::collect::options::{Options, Place};
use stakeout::collect::ssh_config;
use stakeout::model::Timestamp;
use stakeout::model::reports::{Scanner, ScannerReport};
use stakeout::probes;
use stakeout::probes::frame::FrameReader;
use stakeout::probes::mask::Masker;
use stakeout::probes::parse::yaml::{self, Limits};
use stakeout::probes::probe::Reading;

/// Longer than any input takes on a busy machine, shorter than a person waits for a hang.
const HANG: Duration = Duration::from_secs(30);
/// Inputs that are tried on the busiest machine, however long it takes.
const LEAST: u64 = 20;
/// Bytes of a changed input.
const LARGEST: usize = 128 * 1024;

/// Numbers that look like chance and are the same in every run.
struct Dice(u64);

impl Dice {
    /// SplitMix64.
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `end`; zero where that is zero.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % (end.max(1) as u64)).expect("below a usize")
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.below(len + 1);
        // Short pieces are the interesting ones.
        let most = if self.below(4) == 0 { len } else { 24 };
        start..(start + self.below(most) + 1).min(len)
    }
}

/// Bytes at which readers stumble.
const ODD: &[&[u8]] = &[
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"%",
    b"\"",
    b"'",
    b"\\",
    b":",
    b",",
    b"|",
    b"!",
    b"*",
    b"?",
    b"#",
    b"@",
    b"[",
    b"]",
    b"{",
    b"}",
    b"-",
    b"=",
    b"&",
    b"<<",
    b"~",
    b"/",
    b"..",
    b"\xc3\x28",
    b"\xe2\x80\xae",
    b"\xef\xbb\xbf",
    b"\x1b[2J",
    b"0",
    b"-1",
    b"4294967295",
    b"18446744073709551616",
    b"1e999",
    b"\xff\xff\xff\xff",
    b"\0\0\0\0",
    b"\0\0\0\x01",
    b"\x80\0\0\0",
    b"null",
    b"true",
    b"---",
    b"%s%n",
];

/// One to eight changes: bits, bytes, pieces that go, come twice, move, or come from another input.
fn change(dice: &mut Dice, input: &[u8], other: &[u8]) -> Vec<u8> {
    let mut out = input.to_vec();
    for _ in 0..=dice.below(8) {
        let range = dice.range(out.len());
        match dice.below(9) {
            0 if !out.is_empty() => {
                let at = dice.below(out.len());
                out[at] ^= 1 << dice.below(8);
            }
            1 if !out.is_empty() => {
                let at = dice.below(out.len());
                out[at] = dice.next().to_le_bytes()[0];
            }
            2 => drop(out.drain(range)),
            3 => {
                let piece = out[range.clone()].to_vec();
                for _ in 0..=dice.below(6) {
                    out.splice(range.end..range.end, piece.iter().copied());
                }
            }
            4 => {
                let piece: Vec<u8> = out.drain(range).collect();
                let at = dice.below(out.len() + 1);
                out.splice(at..at, piece);
            }
            5 => {
                let piece = other[dice.range(other.len())].to_vec();
                out.splice(range, piece);
            }
            6 => out.truncate(range.start),
            7 => {
                let many = 1 << dice.below(12);
                let piece = dice.pick(ODD).repeat(many);
                out.splice(range.start..range.start, piece);
            }
            _ => {
                out.splice(range, dice.pick(ODD).iter().copied());
            }
        }
        out.truncate(LARGEST);
    }
    out
}

type Change = fn(&mut Dice, &[u8], &[u8]) -> Vec<u8>;

/// What is tried: inputs as they are, then changed ones.
struct Target {
    name: &'static str,
    seeds: Vec<Vec<u8>>,
    change: Change,
    /// Panics where the answer is wrong.
    run: fn(&[u8]),
}

fn number(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

impl Target {
    fn loops(self) {
        let seconds = number("STAKEOUT_FUZZ_SECONDS").unwrap_or(1);
        let first = number("STAKEOUT_FUZZ_SEED").unwrap_or(1);
        let (name, now) = (self.name, Arc::new(AtomicU64::new(0)));
        let (done, ended) = sync_channel(1);
        let progress = Arc::clone(&now);
        let worker = move || {
            let outcome = self.until(
                Instant::now() + Duration::from_secs(seconds),
                first,
                &progress,
            );
            // The watcher is gone where it has given up.
            let _ = done.send(outcome);
        };
        std::thread::spawn(worker);
        let mut seen = u64::MAX;
        let count = loop {
            match ended.recv_timeout(HANG) {
                Ok(Ok(count)) => break count,
                Ok(Err(seed)) => panic!("{name}: STAKEOUT_FUZZ_SEED={seed} fails, see above"),
                Err(RecvTimeoutError::Timeout) => {
                    let seed = now.load(Ordering::SeqCst);
                    assert!(
                        seed != seen,
                        "{name}: STAKEOUT_FUZZ_SEED={seed} does not end"
                    );
                    seen = seed;
                }
                Err(RecvTimeoutError::Disconnected) => panic!("{name}: the loop has ended"),
            }
        };
        assert!(count >= LEAST, "{name}: only {count} inputs");
    }

    /// How many inputs were tried, or the seed of the one that failed; zero is the corpus itself.
    fn until(&self, deadline: Instant, first: u64, now: &AtomicU64) -> Result<u64, u64> {
        assert!(!self.seeds.is_empty(), "{} has no corpus", self.name);
        let holds = |input: &[u8]| catch_unwind(AssertUnwindSafe(|| (self.run)(input))).is_ok();
        if !self.seeds.iter().all(|seed| holds(seed)) {
            return Err(0);
        }
        let mut seed = first;
        while Instant::now() < deadline || seed - first < LEAST {
            now.store(seed, Ordering::SeqCst);
            let mut dice = Dice(seed);
            let (input, other) = (dice.pick(&self.seeds), dice.pick(&self.seeds));
            if !holds(&(self.change)(&mut dice, input, other)) {
                return Err(seed);
            }
            seed += 1;
        }
        Ok(seed - first)
    }
}

/// Every file of these folders below `tests/fixtures`.
fn corpus(folders: &[&str]) -> Vec<Vec<u8>> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    // A folder of finds is there only once something was found.
    let folders = folders.iter().map(|folder| fixtures.join(folder));
    let mut files: Vec<_> = folders
        .filter(|folder| folder.exists())
        .flat_map(|folder| std::fs::read_dir(folder).expect("a folder that can be read"))
        .map(|entry| entry.expect("a folder that can be read").path())
        .collect();
    assert!(!files.is_empty(), "nothing to change at random");
    files.sort();
    files
        .iter()
        .map(|file| std::fs::read(file).expect("a file that can be read"))
        .collect()
}

/// The key of a line as `ssh-keygen` writes it.
fn blob(line: &[u8]) -> Vec<u8> {
    let text = std::str::from_utf8(line).expect("text");
    decode_block(text.split(' ').nth(1).expect("a key")).expect("base64")
}

const NAMES: &[&str] = &["n1", "[n1]:2222", "a.example.com", "10.0.0.1"];

/// A key that no file of the corpus holds.
const STRANGER: &[u8] = b"\0\0\0\x0bssh-ed25519\0\0\0\x20strangerstrangerstrangerstranger";

#[test]
fn known_hosts_files() {
    let target = Target {
        name: "known_hosts",
        seeds: corpus(&["corpus/known_hosts"]),
        change,
        run: |input| {
            let mut known = KnownHosts::default();
            known.add(Path::new("kh"), input);
            let names: Vec<String> = NAMES.iter().map(|name| (*name).to_owned()).collect();
            let lookup = known.lookup(&names);
            lookup.key_types();
            lookup.has_authority();
            let verdict = lookup.verify(STRANGER, 0);
            assert!(
                !matches!(verdict, Verdict::Match(_)),
                "a stranger is trusted"
            );
            for skipped in known.skipped() {
                assert!(!skipped.to_string().is_empty());
            }
        },
    };
    target.loops();
}

static CERTIFICATES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let lines = corpus(&["corpus/certificate"]);
    lines.iter().map(|line| blob(line)).collect()
});

/// The one authority of the corpus, for every host.
static AUTHORITY: LazyLock<KnownHosts> = LazyLock::new(|| {
    let lines = corpus(&["corpus/certificate"]);
    let key = lines.iter().find(|line| line.starts_with(b"ssh-ed25519 "));
    let key = key.expect("the authority's key");
    let mut known = KnownHosts::default();
    let line = [b"@cert-authority * ", key.as_slice()].concat();
    known.add(Path::new("kh"), &line);
    known
});

#[test]
fn host_certificates() {
    let target = Target {
        name: "certificate",
        seeds: CERTIFICATES.clone(),
        change,
        run: |input| {
            let genuine = CERTIFICATES.iter().any(|blob| blob == input);
            if let Some(certificate) = Certificate::parse(input)
                && !genuine
            {
                for now in [0, 1 << 31, u64::MAX] {
                    let vouched = certificate.vouches("n1", now);
                    // Nobody has signed it as it is now.
                    assert!(vouched.is_err(), "a forged certificate is believed");
                }
            }
            let verdict = AUTHORITY.lookup(&["n1".to_owned()]).verify(input, 1 << 31);
            assert!(
                genuine || !matches!(verdict, Verdict::Match(_)),
                "a forged certificate is trusted"
            );
            if let Some(key) = Key::from_blob(input) {
                assert!(key.fingerprint().starts_with("SHA256:"));
            }
        },
    };
    assert!(target.seeds.len() > 4);
    target.loops();
}

#[test]
fn ssh_g_output() {
    let target = Target {
        name: "ssh_g",
        seeds: corpus(&["corpus/ssh_g"]),
        change,
        run: |input| {
            let place = Place {
                home: "/home/audit".into(),
                ..Options::default().place
            };
            ssh_config::parse(&String::from_utf8_lossy(input), "n1", &place);
        },
    };
    target.loops();
}

#[test]
fn yaml_files() {
    let target = Target {
        name: "yaml",
        seeds: corpus(&["corpus/yaml", "yaml", "kubeadm-1.37"])
            .into_iter()
            .filter(|seed| seed.len() < 20_000)
            .collect(),
        change,
        run: |input| drop(yaml::parse(input, &Limits::default())),
    };
    target.loops();
}

/// Whatever comes of it stays within its bounds.
fn report(input: &[u8]) {
    if let Ok(report) = probes::reports::read(input) {
        assert!(report.findings().count() <= ScannerReport::MOST);
        assert!(report.subjects.len() <= ScannerReport::MOST_SUBJECTS);
        for finding in report.findings() {
            assert!(!finding.id.is_empty(), "a finding without an id");
        }
    }
}

/// Each parser by the reports of its own scanner.
#[test]
fn reports_of_other_scanners() {
    let all = corpus(&["corpus/reports", "reports"]);
    for scanner in [
        Scanner::KubeBench,
        Scanner::KubeHunter,
        Scanner::Trivy,
        Scanner::TrivyK8s,
        Scanner::Clair,
    ] {
        let is_own = |seed: &&Vec<u8>| {
            let read = probes::reports::read(seed);
            read.is_ok_and(|report| report.scanner == scanner)
        };
        let target = Target {
            name: "reports",
            seeds: all.iter().filter(is_own).cloned().collect(),
            change,
            run: report,
        };
        assert!(target.seeds.len() > 1, "{scanner}");
        target.loops();
    }
}

/// The nonce of the recorded answers.
const NONCE: &str = "0123456789abcdef0123456789abcdef";

fn read(answer: &[u8]) {
    let mut reader = FrameReader::new(NONCE, 7);
    let (first, second) = answer.split_at(answer.len() / 2);
    reader.push(first);
    reader.push(second);
    if let Ok(frame) = reader.finish() {
        let reading = Reading {
            at: Timestamp::UNIX_EPOCH,
            masker: &Masker::new([7; 32]),
        };
        probes::read_host(&frame, &reading);
    }
}

fn answers() -> Vec<Vec<u8>> {
    corpus(&["corpus/answer", "answers"])
}

#[test]
fn answers_of_the_collector() {
    let target = Target {
        name: "answer",
        seeds: answers(),
        change,
        run: read,
    };
    target.loops();
}

/// Changes what is inside the encoded fields, so that the frame stays whole and the readers behind it are reached:
/// stat and listings, access lists, mountinfo, cgroups, command lines, the kubelet's files, manifests.
fn inside(dice: &mut Dice, input: &[u8], other: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(input);
    let mut lines: Vec<String> = text.split('\n').map(str::to_owned).collect();
    let fields = |line: &str| -> usize { line.split('\t').count() };
    let records: Vec<usize> = (0..lines.len())
        .filter(|at| fields(&lines[*at]) > 1)
        .collect();
    for _ in 0..=dice.below(6) {
        let Some(at) = records.get(dice.below(records.len())) else {
            break;
        };
        let mut parts: Vec<String> = lines[*at].split('\t').map(str::to_owned).collect();
        let part = 1 + dice.below(parts.len() - 1);
        let encoded = parts[part]
            .strip_prefix('%')
            .and_then(|word| decode_block(word).ok());
        let bytes = encoded.unwrap_or_else(|| parts[part].clone().into_bytes());
        let piece = &other[dice.range(other.len())];
        parts[part] = format!("%{}", encode_block(&change(dice, &bytes, piece)));
        lines[*at] = parts.join("\t");
    }
    lines.join("\n").into_bytes()
}

#[test]
fn fields_of_answers() {
    let target = Target {
        name: "answer",
        seeds: answers(),
        change: inside,
        run: read,
    };
    // The frame has to survive, or nothing behind it is tried.
    let mut dice = Dice(1);
    let whole = (0..50)
        .filter(|_| {
            let seed = dice.pick(&target.seeds);
            let mut reader = FrameReader::new(NONCE, 7);
            reader.push(&inside(&mut dice, seed, seed));
            reader.finish().is_ok_and(|frame| frame.complete)
        })
        .count();
    assert!(whole > 20, "{whole} of 50");
    target.loops();
}

/// The harness itself: a panic and a wrong answer are found, and the seed leads back to them.
#[test]
fn a_failure_names_its_seed() {
    let target = || Target {
        name: "harness",
        seeds: vec![b"harmless".to_vec()],
        change,
        run: |input| assert!(!input.contains(&0xff), "found"),
    };
    let deadline = Instant::now() + Duration::from_secs(20);
    let failed = target().until(deadline, 1, &AtomicU64::new(0));
    let seed = failed.expect_err("an input with that byte");
    assert_eq!(
        target().until(deadline, seed, &AtomicU64::new(0)),
        Err(seed)
    );
}
