//! Tables about one node, the palette, and the form of a waiver: frames of the fleet that the lab ships, and keys.

use std::sync::{Arc, LazyLock};

use ratatui::layout::Size;
use stakeout::engine::Judged;
use stakeout::model::Timestamp;
use stakeout::model::policy::{File, Policy, Waiver};
use stakeout::model::text::Text;
use stakeout::tui::Address;
use stakeout::tui::app::{App, Effect, Msg};
use stakeout::tui::theme::{Theme, Tier};
use stakeout::tui::world::{Registry, World};

use super::{Stage, compare, fleet};

static SHIPPED: LazyLock<Arc<Judged>> = LazyLock::new(|| {
    let clock = crate::describe::Clock {
        now: fleet::now().as_second(),
    };
    let shipped = crate::fleet::Fleet::shipped(clock);
    Arc::new(crate::offline::judged(&shipped))
});

/// The shipped fleet with a policy file, or without.
fn staged((width, height): (u16, u16), policy: &Policy) -> Stage {
    let view = if *policy == Policy::none() {
        Arc::clone(&SHIPPED)
    } else {
        let snapshot = Arc::clone(&SHIPPED.snapshot);
        let now = snapshot.taken;
        Arc::new(Judged::of(snapshot, policy, now))
    };
    let world = World::new(
        Registry::built_in(),
        Text::new("demo"),
        Text::new("the demo"),
        view.snapshot.taken,
    );
    let mut app = App::new(world);
    app.update(Msg::Resize(Size::new(width, height)));
    app.update(Msg::Views(vec![view]));
    Stage {
        app,
        size: (width, height),
        effects: Vec::new(),
    }
}

fn shipped(width: u16, height: u16) -> Stage {
    staged((width, height), &Policy::none())
}

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 30), (140, 45)];

#[test]
fn tables_are_as_recorded() {
    for (name, typed) in [
        ("static", ":static cp-1<Enter>"),
        ("static-open", ":static cp-1<Enter><Enter>"),
        ("kubelet", ":kubelet cp-1<Enter>"),
        ("certs", ":certs cp-1<Enter>"),
        ("certs-all", ":certs all<Enter>"),
        ("paths", ":paths cp-1<Enter>"),
    ] {
        for (width, height) in SIZES {
            let stage = shipped(width, height).press(typed);
            compare(&format!("{name}-{width}x{height}"), &stage.frame());
        }
    }
    let stage = shipped(80, 24).press(":");
    compare("palette-80x24", &stage.frame());
}

/// The first row under the cursor, without its mark.
fn row(stage: &Stage) -> String {
    let frame = stage.frame();
    let row = frame.lines().find(|line| line.starts_with("> "));
    row.unwrap_or_default()[2..].to_owned()
}

#[test]
fn a_pod_without_its_mirror_says_why() {
    let stage = shipped(120, 30).press(":static pool-a-02<Enter><Enter>");
    let frame = stage.frame();
    assert!(frame.contains("hidden"), "{frame}");
    assert!(frame.contains("-- why it has no mirror"), "{frame}");
    assert!(frame.contains("namespace:"), "{frame}");
}

#[test]
fn a_table_without_a_name_is_of_the_node_under_the_cursor() {
    let stage = shipped(80, 24).press("/cp-2<Enter>:static<Enter>");
    assert_eq!(stage.app.address().to_string(), "static cp-2");
    let stage = stage.press(":certs<Enter>");
    assert_eq!(stage.app.address().to_string(), "certs cp-2");
    let stage = stage.press(":certs all<Enter>");
    assert_eq!(stage.app.address().to_string(), "certs all");
    let stage = shipped(80, 24).press(":kubelet nowhere<Enter>");
    assert!(
        stage.frame().contains("no node nowhere"),
        "{}",
        stage.frame()
    );
    let stage = shipped(80, 24).press("/nothingfits<Enter>:kubelet<Enter>");
    assert!(
        stage
            .frame()
            .contains("kubelet of which node? next: :kubelet NODE"),
        "{}",
        stage.frame()
    );
}

#[test]
fn filter_sort_and_cursor_come_back_with_the_view() {
    let stage = shipped(80, 24).press(":kubelet cp-1 /auth<Enter>OOjj");
    let before = stage.frame();
    assert!(before.contains("filter: auth  sort: value"), "{before}");
    // Back and forth, and over to another view of the node and around.
    let stage = stage.press("[]");
    assert_eq!(stage.frame(), before);
    let stage = stage.press("<Tab>");
    assert_eq!(stage.app.address().to_string(), "certs cp-1");
    let stage = stage.press("<Tab><Tab><Tab>");
    assert_eq!(stage.app.address().to_string(), "static cp-1");
    let stage = stage.press("<Tab>");
    assert_eq!(stage.frame(), before);
    assert_eq!(
        stage.press("<S-Tab><S-Tab>").app.address().to_string(),
        "node cp-1"
    );
}

#[test]
fn certificates_are_in_the_order_of_their_end() {
    let days = |typed: &str| {
        let frame = shipped(140, 45).press(typed).frame();
        let rows = frame.lines().skip(5).take(20);
        let days = rows.filter_map(|line| line.get(2..8)?.trim().parse::<i64>().ok());
        days.collect::<Vec<_>>()
    };
    let up = days(":certs cp-1<Enter>");
    assert!(up.len() > 5 && up.is_sorted(), "{up:?}");
    let stage = shipped(80, 24).press(":certs cp-1<Enter>N");
    assert!(stage.frame().contains("sort: name"), "{}", stage.frame());
}

#[test]
fn what_is_not_known_is_said_with_its_next_step() {
    let failed = SHIPPED
        .hosts
        .iter()
        .find(|(_, state)| matches!(state, stakeout::model::link::HostState::Failed(_)));
    let (node, _) = failed.expect("the shipped fleet has a node that cannot be read");
    for kind in ["static", "kubelet", "certs", "paths"] {
        let stage = shipped(80, 24).press(&format!(":{kind} {node}<Enter>"));
        let frame = stage.frame();
        assert!(frame.contains("not known ("), "{frame}");
        assert!(frame.contains("CAUSE"), "{frame}");
        assert!(frame.contains("NEXT"), "{frame}");
        let stage = stage.press("c");
        assert_eq!(stage.copied().len(), 1, "{kind}");
        assert!(!stage.copied()[0].is_empty(), "{kind}");
    }
}

#[test]
fn the_detail_opens_and_closes_before_the_view_does() {
    let stage = shipped(80, 24).press(":static cp-1<Enter><Enter>");
    let top = stage.frame();
    let stage = stage.press("jjj");
    assert_ne!(stage.frame(), top);
    let stage = stage.press("q");
    assert_eq!(stage.app.address().to_string(), "static cp-1");
    assert!(
        row(&stage).starts_with("kube-apiserver "),
        "{}",
        stage.frame()
    );
    assert_eq!(stage.press("q").app.address(), Address::Fleet);
}

#[test]
fn the_palette_offers_names_and_history() {
    let stage = shipped(80, 24).press(":ce");
    let frame = stage.frame();
    assert!(frame.contains(":certs [NODE|all]"), "{frame}");
    let stage = stage.press("<Tab>");
    assert!(
        stage.frame().contains("+-- :certs  ---"),
        "{}",
        stage.frame()
    );
    // From where names part on, every press offers the next one.
    let stage = stage.press("cp<Tab><Tab>");
    assert!(
        stage.frame().contains(">node    :certs cp-1"),
        "{}",
        stage.frame()
    );
    let stage = stage.press("<Tab><Enter>");
    assert_eq!(stage.app.address().to_string(), "certs cp-2");
    let stage = stage.press(":log<Enter>:<Up><Up><Enter>");
    assert_eq!(stage.app.address().to_string(), "certs cp-2");
    assert_eq!(stage.app.commands(), ["log", "certs cp-2"]);
    let stage = stage.press(":<Up><Down>x");
    assert!(stage.frame().contains("+-- :x ---"), "{}", stage.frame());
    let stage = stage.press("yz<Backspace><Esc>");
    assert!(!stage.frame().contains("+--"), "{}", stage.frame());
}

/// A policy file without a word in it.
fn policy() -> Policy {
    let mut policy = Policy::of(File {
        name: Text::new("policy.yaml"),
        ..File::default()
    });
    policy.today = Some(fleet::now());
    policy
}

fn waived(stage: &Stage) -> &Waiver {
    stage
        .effects
        .iter()
        .find_map(|effect| match effect {
            Effect::Waive(waiver) => Some(&**waiver),
            _ => None,
        })
        .expect("a waiver")
}

#[test]
fn a_risk_is_accepted_by_somebody_until_some_day() {
    let stage = staged((80, 24), &policy()).press(":node cp-1<Enter><Enter>a");
    compare("accept-80x24", &stage.frame());
    let stage = stage.press("<Enter><Enter><Enter>");
    assert!(
        stage.frame().contains("a waiver needs: owner"),
        "{}",
        stage.frame()
    );
    assert!(stage.effects.is_empty());
    let stage =
        stage.press("platform-team<Enter>ticket SEC-412: q/:<Enter><ctrl-u>2026-02-30<Enter>");
    assert!(
        stage.frame().contains("a day, as 2030-12-31"),
        "{}",
        stage.frame()
    );
    let stage = stage.press("<ctrl-u>2026-03-01<Enter>");
    assert!(
        stage.frame().contains("that day has passed"),
        "{}",
        stage.frame()
    );
    let stage = stage.press("<ctrl-u>30d<Enter>");
    let waiver = waived(&stage).clone();
    assert_eq!(waiver.owner, "platform-team");
    assert_eq!(waiver.reason, "ticket SEC-412: q/:");
    assert_eq!(
        waiver.expires,
        "2026-03-31T00:00:00Z".parse::<Timestamp>().expect("a time")
    );
    assert_eq!(waiver.node, Some(fleet::name("cp-1")));
    // Judged by it, exactly this finding is accepted.
    let mut file = File {
        name: Text::new("policy.yaml"),
        ..File::default()
    };
    file.waivers.push(Arc::new(Waiver { line: 3, ..waiver }));
    let mut accepted = Policy::of(file);
    accepted.today = Some(fleet::now());
    let snapshot = Arc::clone(&SHIPPED.snapshot);
    let now = snapshot.taken;
    let stage = stage.show(Arc::new(Judged::of(snapshot, &accepted, now)));
    let frame = stage.frame();
    assert!(frame.contains("ACCEPTED"), "{frame}");
    assert!(
        frame.contains("accepted by platform-team until 2026-03-31"),
        "{frame}"
    );
    let stage = stage.press("a");
    assert!(
        stage.frame().contains("accepted already by platform-team"),
        "{}",
        stage.frame()
    );
}

#[test]
fn every_node_can_be_meant_and_escape_accepts_nothing() {
    let mut stage = staged((80, 24), &policy()).press(":node cp-1<Enter>ao<Enter>");
    stage.app.update(Msg::Paste("two\nlines\u{1b}".to_owned()));
    let stage = stage.press("<ctrl-n><Enter><Enter>");
    let waiver = waived(&stage);
    assert_eq!(waiver.node, None);
    assert_eq!(waiver.reason, r"two lines\x1b");
    let stage = staged((80, 24), &policy()).press(":node cp-1<Enter>aowner<Esc>");
    assert!(stage.effects.is_empty());
    assert_eq!(stage.app.address().to_string(), "node cp-1");
}

#[test]
fn without_a_policy_file_there_is_a_next_step() {
    let stage = shipped(80, 24).press(":node cp-1<Enter>a");
    assert!(
        stage
            .frame()
            .contains("no policy file. next: stakeout policy init >p.yaml"),
        "{}",
        stage.frame()
    );
    let stage = staged((80, 24), &policy()).press(":node cp-1<Enter>/state=pass<Enter>a");
    assert!(
        stage
            .frame()
            .contains("only a proven offence can be accepted"),
        "{}",
        stage.frame()
    );
}

#[test]
fn every_size_of_every_table_can_be_drawn() {
    let theme = Theme::built_in("terminal", Tier::Ansi).expect("a built-in theme");
    for typed in [
        ":static cp-1<Enter>",
        ":static cp-1<Enter><Enter>jj",
        ":kubelet cp-1<Enter>!",
        ":certs all<Enter>",
        ":paths all<Enter>",
        ":node cp-1<Enter>a",
        ":node ",
    ] {
        for size in [
            (0, 0),
            (1, 1),
            (24, 6),
            (24, 40),
            (40, 10),
            (80, 15),
            (119, 24),
            (140, 38),
            (300, 80),
            (500, 6),
        ] {
            staged(size, &policy()).press(typed).buffer(&theme);
        }
    }
}
