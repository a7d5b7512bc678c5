//! Answers whole, cut, forged and mutated.

use super::*;

const NONCE: &str = "0123456789abcdef0123456789abcdef";
const GOOD: &str = "Welcome!\n\n@STK1 WAY login-only\n\n@STK1 BEGIN 0123456789abcdef0123456789abcdef 1 0 stat b64\n\
    @STK1 SECTION identity\nV\tclock\t5\nF\t/etc/os-release\t%YQ==\n@STK1 DONE identity 2\n\
    @STK1 SECTION runtime\nN\tx\n@STK1 DONE runtime 1\n@STK1 END 0123456789abcdef0123456789abcdef 3\n";

fn read(text: &[u8], piece: usize) -> Result<Frame, Gap> {
    let mut reader = FrameReader::new(NONCE, 2);
    for bytes in text.chunks(piece.max(1)) {
        reader.push(bytes);
    }
    reader.finish()
}

#[test]
fn a_good_answer_in_pieces_of_any_size() {
    for piece in 1..=GOOD.len() {
        let frame = read(GOOD.as_bytes(), piece).expect("a good answer");
        assert!(frame.complete && frame.cut.is_none());
        assert_eq!((frame.script, frame.uid), (1, 0));
        assert_eq!(frame.way, Some(WayIn::LoginOnly));
        assert_eq!(frame.noise, Text::block("Welcome!\n\n\n"));
        let identity = frame.section("identity").expect("it is there");
        assert_eq!(identity.records[1].fields, [&b"/etc/os-release"[..], b"a"]);
        assert_eq!(frame.sections.len(), 2);
    }
}

#[test]
fn progress_is_told_as_sections_become_whole() {
    let mut reader = FrameReader::new(NONCE, 7);
    assert_eq!(
        reader.push(GOOD.as_bytes()),
        [
            Progress::Section { done: 1, of: 7 },
            Progress::Section { done: 2, of: 7 }
        ]
    );
    assert!(reader.is_over(), "the connection need not end");
}

#[test]
fn a_cut_answer_keeps_its_whole_sections() {
    let whole = GOOD.find("@STK1 SECTION runtime").expect("it is there");
    for end in 0..GOOD.len() {
        match read(&GOOD.as_bytes()[..end], 64) {
            Ok(frame) => {
                assert!(end >= whole);
                assert!(!frame.complete && frame.cut.is_some());
                assert!(frame.section("identity").is_some());
            }
            Err(gap) => {
                assert!(end < whole, "{end}: {gap}");
                assert!(matches!(gap, Gap::Node { .. }), "{gap}");
            }
        }
    }
}

#[test]
fn wrong_nonces_and_counts_are_not_believed() {
    for (from, to) in [
        ("BEGIN 0123", "BEGIN 1123"),
        ("END 0123", "END 1123"),
        ("f 3\n", "f 4\n"),
        ("identity 2\n", "identity 3\n"),
        ("DONE runtime", "DONE runtimes"),
    ] {
        let gap = read(GOOD.replacen(from, to, 1).as_bytes(), 64).expect_err("it is forged");
        assert!(matches!(gap, Gap::Garbled { .. }), "{to}: {gap}");
    }
}

#[test]
fn a_strange_line_ends_the_answer_but_not_what_stood_before() {
    let text = GOOD.replacen("N\tx", "motd: N\tx", 1);
    let frame = read(text.as_bytes(), 64).expect("a section is whole");
    assert!(matches!(frame.cut, Some(Gap::Garbled { .. })));
    assert_eq!(frame.sections.len(), 1);
}

#[test]
fn what_is_no_collector_says_so() {
    for (text, class) in [
        ("", FaultClass::NoShell),
        (
            "This account is currently not available.\n",
            FaultClass::NoShell,
        ),
        (
            "@STK1 WAY login-only\nsh: 1: oops\n",
            FaultClass::Disconnected,
        ),
    ] {
        let gap = read(text.as_bytes(), 7).expect_err("nothing came");
        assert!(
            matches!(gap, Gap::Node { class: found, .. } if found == class),
            "{gap}"
        );
    }
    let gap = read(b"\n@STK1 FAIL base64\n", 99).expect_err("it failed");
    assert!(matches!(gap, Gap::ToolMissing { .. }));
}

/// What was whole before the collector gave up is kept.
#[test]
fn a_node_that_says_too_much_is_cut() {
    let from = GOOD.find("@STK1 END").expect("it ends");
    let text = format!("{}@STK1 SECTION pki\n@STK1 FAIL budget\n", &GOOD[..from]);
    let frame = read(text.as_bytes(), 99).expect("some of it");
    assert!(!frame.complete && !frame.sections.is_empty());
    let why = frame.cut.expect("a reason").to_string();
    assert!(why.contains("too much"), "{why}");
}

#[test]
fn floods_end() {
    let mut reader = FrameReader::new(NONCE, 2);
    let zeros = vec![0; 1 << 16];
    let mut taken = 0;
    while !reader.is_over() {
        reader.push(&zeros);
        taken += zeros.len();
        assert!(taken <= BYTES * 2);
    }
    assert!(matches!(
        reader.finish(),
        Err(Gap::Node {
            class: FaultClass::OutputTooLarge,
            ..
        })
    ));
    let lines = "noise\n".repeat(BYTES / 6 + 2);
    assert!(read(lines.as_bytes(), 1 << 15).is_err());
}

/// A generator without a crate; the seed is fixed so that a failure can be repeated.
fn next(state: &mut u64) -> usize {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    usize::try_from(*state >> 33).unwrap_or(0)
}

#[test]
fn mutations_never_panic_and_never_invent() {
    let mut state = 0x5eed_5eed_5eed_5eed;
    for _ in 0..20_000 {
        let mut text = GOOD.as_bytes().to_vec();
        for _ in 0..=next(&mut state) % 4 {
            let at = next(&mut state) % text.len().max(1);
            match next(&mut state) % 4 {
                0 if at < text.len() => {
                    text[at] = u8::try_from(next(&mut state) % 256).unwrap_or(0);
                }
                1 if at < text.len() => drop(text.remove(at)),
                2 => text.insert(at.min(text.len()), b"\t\n@% \xff0"[next(&mut state) % 7]),
                _ => text.truncate(at.max(1)),
            }
        }
        if let Ok(frame) = read(&text, 1 + next(&mut state) % 99) {
            assert!(
                frame
                    .sections
                    .iter()
                    .all(|section| section.records.len() <= 4)
            );
            assert_eq!(frame.complete, frame.cut.is_none());
        }
    }
}
