//! `hostPathVolumes`: no volume is a path of the node.

use super::blame::{Blame, Want};
use super::path::Path;
use super::{Control, Level, Revision, Shape, Violation, words};

pub(super) static CONTROL: Control = Control {
    id: "hostPathVolumes",
    level: Level::Baseline,
    revisions: &[Revision::since(0, judge)],
};

fn judge(pod: &Shape<'_>) -> Option<Violation> {
    let mut blame = Blame::default();
    let mut names = Vec::new();
    for (at, volume) in pod.volumes.iter().enumerate() {
        if volume.has("hostPath") {
            names.push(volume.name);
            let field = Path::new("spec.volumes").index(at).then("hostPath");
            blame.field(field, Want::Decide("another kind of volume, or none"));
        }
    }
    blame.forbidden("hostPath volumes", |_| {
        let word = words::pluralize("volume", "volumes", names.len());
        format!("{word} {}", words::join_quote(&names))
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Case, hold, says};

    #[test]
    fn versions() {
        hold(
            "hostPathVolumes",
            &[
                Case::pod("/spec/volumes", r#"[{"name": "a"}]"#).allowed(),
                Case::pod("/spec/volumes", r#"[{"name": "a", "hostPath": null}]"#).allowed(),
                Case::pod("/spec/volumes", r#"[{"name": "a", "emptyDir": {}}]"#).allowed(),
                Case::pod("/spec/volumes", r#"[{"name": "a", "hostPath": {}}]"#).forbidden(0..),
                Case::pod(
                    "/spec/volumes",
                    r#"[{"name": "a", "emptyDir": {}, "hostPath": {"path": "/"}}]"#,
                )
                .forbidden(0..),
            ],
        );
        says(
            &Case::pod(
                "/spec/volumes",
                r#"[{"name": "b", "hostPath": {"path": "/b"}}, {"name": "a", "hostPath": {"path": "/a"}}]"#,
            ),
            "hostPath volumes (volumes \"b\", \"a\")",
        );
    }
}
