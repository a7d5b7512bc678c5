//! Judging and drawing: one node, a thousand nodes, and frames of them at three sizes.
//!
//! `cargo bench --bench model`. Hold on to ratios: machines are shared and noisy.

#![allow(
    clippy::disallowed_methods,
    reason = "a bench tells the time and reads its own fleet"
)]
#![allow(dead_code, reason = "the lab's files serve several targets")]

#[path = "../lab/describe/mod.rs"]
mod describe;
#[path = "../lab/fleet.rs"]
mod fleet;
#[path = "../lab/offline.rs"]
mod offline;

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use ratatui::buffer::Buffer;
use ratatui::layout::{Rect, Size};
use stakeout::checks::check::View;
use stakeout::engine::Judged;
use stakeout::evaluate;
use stakeout::model::policy::Policy;
use stakeout::model::text::Text;
use stakeout::tui::app::{App, Msg};
use stakeout::tui::keys;
use stakeout::tui::theme::{Theme, Tier};
use stakeout::tui::world::{Registry, World};

use describe::Clock;
use fleet::Fleet;

/// Clean workers beside the 48 nodes of the story; their pods are thirty each.
const NODES: usize = 1_000;

fn judged() -> Arc<Judged> {
    let fleet = Fleet::shipped(Clock { now: 1_790_000_000 }).scaled(NODES, NODES * 30);
    Arc::new(offline::judged(&fleet))
}

fn evaluating(bench: &mut Criterion) {
    let judged = judged();
    let policy = Policy::none();
    let snapshot = &judged.snapshot;
    let view = View::new(snapshot, &policy, snapshot.taken);
    let control_plane = &snapshot.nodes["cp-1"];
    let worker = snapshot
        .nodes
        .values()
        .next_back()
        .expect("a thousand nodes");
    bench.bench_function("evaluate/control plane node", |b| {
        b.iter(|| evaluate::node(black_box(control_plane), &view));
    });
    bench.bench_function("evaluate/worker node", |b| {
        b.iter(|| evaluate::node(black_box(worker), &view));
    });
    let mut group = bench.benchmark_group("evaluate");
    group.sample_size(10);
    group.bench_function("1,000 nodes and the cluster", |b| {
        b.iter(|| Judged::of(Arc::clone(snapshot), &policy, snapshot.taken));
    });
    group.finish();
}

fn drawing(bench: &mut Criterion) {
    let judged = judged();
    let theme = Theme::built_in("terminal", Tier::Ansi).expect("a built-in theme");
    for (width, height) in [(80, 24), (140, 45), (250, 70)] {
        let world = World::new(
            Registry::built_in(),
            Text::new("bench"),
            Text::new("bench"),
            judged.snapshot.taken,
        );
        let mut app = App::new(world);
        app.update(Msg::Resize(Size::new(width, height)));
        app.update(Msg::Views(vec![Arc::clone(&judged)]));
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        bench.bench_function(&format!("frame/fleet of 1,000 at {width}x{height}"), |b| {
            b.iter(|| {
                buffer.reset();
                app.view(&theme, black_box(&mut buffer));
            });
        });
        let down = keys::events("j").expect("a key")[0];
        bench.bench_function(
            &format!("key and frame/fleet of 1,000 at {width}x{height}"),
            |b| {
                b.iter(|| {
                    app.update(Msg::Key(down));
                    buffer.reset();
                    app.view(&theme, black_box(&mut buffer));
                });
            },
        );
    }
}

criterion_group!(benches, evaluating, drawing);
criterion_main!(benches);
