//! The dialog of a login: what is shown, what is not, and what each key does.

use std::sync::Arc;

use stakeout::engine::Judged;
use stakeout::model::ask::{Asked, Echo, Field, Question, QuestionId};
use stakeout::model::link::Order;
use stakeout::model::secret::Secret;
use stakeout::model::text::Text;
use stakeout::tui::app::{Effect, Msg};
use stakeout::tui::theme::{BUILT_IN, Theme, Tier};

use super::fleet::Fleet;
use super::{Stage, text};

fn passphrase(id: u64) -> Question {
    Question {
        id: QuestionId(id),
        kind: Asked::Passphrase {
            file: Text::new("/home/me/.ssh/id_ed25519"),
        },
        again: None,
    }
}

fn talk(id: u64) -> Question {
    let field = |prompt: &str, echo| Field {
        prompt: Text::new(prompt),
        echo,
        shared: false,
    };
    Question {
        id: QuestionId(id),
        kind: Asked::Interactive {
            user: Text::new("audit"),
            host: Text::new("cp-1"),
            says: Text::block("\u{1b}[2Jwelcome\nto prod"),
            fields: vec![field("Password:", Echo::Off), field("Code:", Echo::On)],
        },
        again: Some(Text::new("that was refused")),
    }
}

fn view(questions: Vec<Question>) -> Arc<Judged> {
    Arc::new(Judged {
        questions: Arc::new(questions),
        ..(*Fleet::mixed().judged()).clone()
    })
}

fn answer(id: u64, lines: Option<&[&str]>) -> Effect {
    let lines = lines.map(|lines| lines.iter().map(|line| Secret::new((*line).to_owned())));
    Effect::Order(Order::Answer {
        id: QuestionId(id),
        answer: lines.map(Iterator::collect),
    })
}

#[test]
fn a_passphrase_is_asked_for_and_not_shown() {
    let stage = Stage::new(80, 24).show(view(vec![passphrase(1)]));
    let empty = stage.frame();
    assert!(
        empty.contains("+-- passphrase for /home/me/.ssh/id_ed25519 "),
        "{empty}"
    );
    assert!(
        empty.contains("| asked once for all nodes, kept in memory only"),
        "{empty}"
    );
    assert!(
        empty.contains("Enter answer  ctrl-u clear  Esc do not answer"),
        "{empty}"
    );
    assert!(empty.is_ascii());
    let stage = stage.press("q");
    let one = stage.frame();
    let stage = stage.press("/:jRorrect horse");
    assert_eq!(stage.frame(), one, "the length is not shown either");
    assert!(one.contains("passphrase: (typed, not shown)"), "{one}");
    assert!(stage.effects.is_empty(), "no key reaches the view below");
    let stage = stage.press("<ctrl-u>correct hors<Backspace>se<Enter>");
    assert_eq!(stage.effects, [answer(1, Some(&["correct horse"]))]);
    assert!(!stage.frame().contains("passphrase"), "{}", stage.frame());
}

#[test]
fn an_empty_passphrase_is_not_sent_and_escape_declines() {
    let stage = Stage::mixed(80, 24)
        .show(view(vec![passphrase(1)]))
        .press("<Enter>");
    assert!(stage.effects.is_empty());
    assert_eq!(stage.press("<Esc>").effects, [answer(1, None)]);
    let stage = Stage::mixed(80, 24)
        .show(view(vec![passphrase(1)]))
        .press("abc<ctrl-c>");
    assert_eq!(stage.effects, [answer(1, None)]);
}

#[test]
fn questions_come_one_after_the_other_and_once() {
    let both = || view(vec![passphrase(1), talk(2)]);
    let stage = Stage::new(80, 24).show(both()).press("a<Enter>");
    // The engine has not heard of the answer yet.
    let stage = stage.show(both());
    assert!(
        stage.frame().contains("+-- cp-1 asks audit "),
        "{}",
        stage.frame()
    );
    let stage = stage.show(view(Vec::new()));
    let frame = stage.frame();
    assert!(!frame.contains("asks audit"), "{frame}");
    assert!(
        frame.contains("nobody waits for that answer any more"),
        "{frame}"
    );
}

#[test]
fn a_talk_has_several_lines() {
    let stage = Stage::new(80, 24)
        .show(view(vec![talk(7)]))
        .press("hunter2<Tab>314");
    let frame = stage.frame();
    for line in [
        "that was refused",
        r"\x1b[2Jwelcome",
        "to prod",
        "Password: (typed, not shown)",
        "Code: 314",
    ] {
        assert!(frame.contains(line), "{line}\n{frame}");
    }
    assert!(!frame.contains("hunter2"), "{frame}");
    let stage = stage.press("<S-Tab><Enter>159<Enter>");
    assert_eq!(stage.effects, [answer(7, Some(&["hunter2", "314159"]))]);
    // A host may want an empty line.
    let stage = Stage::new(80, 24)
        .show(view(vec![talk(8)]))
        .press("<Enter><Enter>");
    assert_eq!(stage.effects, [answer(8, Some(&["", ""]))]);
}

#[test]
fn a_paste_is_text_and_a_prompt_is_not_interrupted() {
    let mut stage = Stage::new(80, 24).show(view(vec![passphrase(1)]));
    stage
        .app
        .update(Msg::Paste("correct\n horse\r\n".to_owned()));
    assert!(stage.effects.is_empty());
    let stage = stage.press("<Enter>");
    assert_eq!(stage.effects, [answer(1, Some(&["correct horse"]))]);
    let stage = Stage::mixed(80, 24)
        .press("/cp")
        .show(view(vec![passphrase(1)]));
    assert!(
        !stage.frame().contains("passphrase for"),
        "{}",
        stage.frame()
    );
    let stage = stage.press("<Enter>");
    assert!(
        stage.frame().contains("passphrase for"),
        "{}",
        stage.frame()
    );
}

#[test]
fn the_dialog_fits_every_screen_and_theme() {
    for size in [
        (0, 0),
        (4, 2),
        (5, 3),
        (24, 6),
        (40, 10),
        (80, 24),
        (300, 80),
        (500, 6),
    ] {
        for (name, _) in BUILT_IN {
            let theme = Theme::built_in(name, Tier::Mono).expect("a built-in theme");
            let stage = Stage::new(size.0, size.1)
                .show(view(vec![talk(1)]))
                .press("<Tab>x");
            let frame = text(&stage.buffer(&theme));
            if size.0 >= 24 {
                assert!(frame.contains("Code:"), "{size:?}\n{frame}");
            }
        }
    }
}
