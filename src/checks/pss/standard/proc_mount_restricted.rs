//! `procMount_restricted`: /proc keeps its masks, in a user namespace too.

use super::{Control, Level, Revision, proc_mount};

pub(super) static CONTROL: Control = Control {
    id: "procMount_restricted",
    level: Level::Restricted,
    revisions: &[Revision::since(35, proc_mount::judge).overriding(proc_mount::CONTROL.id)],
};

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold};

    #[test]
    fn versions() {
        hold(
            "procMount_restricted",
            &[
                Case::main("procMount", r#""Default""#).allowed(),
                Case::main("procMount", r#""Unmasked""#).forbidden(35..),
                Case::main("procMount", r#""Unmasked""#)
                    .and("/spec/hostUsers", "false")
                    .forbidden(35..),
            ],
        );
    }
}
