use super::across::{Tagged, arch, tagged};
use crate::checks::check::{
    Check, Judge, Maps, Remediation, Tally, View, by_hand, kubectl, not_applicable, offence,
    on_node,
};
use crate::checks::merge::pairs::{mirrors, unread};
use crate::checks::merge::running_image::short;
use crate::model::fact::{Gap, Locator, Need};
use crate::model::name::CheckId;
use crate::model::node::NodeFacts;
use crate::model::text::Text;
use crate::model::verdict::{Severity, Subject, Verdict};

pub static CHECK: Check = Check {
    id: CheckId("SP-IMG-012"),
    title: "One tag is one image on all nodes",
    why: "Where nodes run different images under one tag, the tag was moved between two pulls, or somebody put an image of his own into one node's store.",
    severity: Severity::High,
    since: "0.3.0",
    needs: &[Need::MirrorPods],
    helps: &[Need::NodeObject],
    maps: &[Maps::Attack("T1525")],
    fix: Remediation {
        steps: &[
            kubectl(
                "kubectl get pods -n {ns} -o jsonpath='{.items[*].status.containerStatuses[*].imageID}'",
            ),
            on_node("crictl images --digests"),
            by_hand(
                "compare the digests with the one of the release; on the node that differs remove the image by crictl rmi and let it be pulled again, one node at a time; then pin the digest in the manifest",
            ),
        ],
        restarts: "the container on the node that differs",
        undo: &[by_hand("none needed: the image is pulled again")],
    },
    examples: &[
        (
            "{mirrors: [{pod: {metadata: {name: a-cp-1, namespace: x}, spec: {containers: [{name: c, image: 'r.io/a:1'}]}, status: {containerStatuses: [{name: c, imageID: 'r.io/a@sha256:aa11223344556677'}]}}}], nodes: {cp-2: {mirrors: [{pod: {metadata: {name: a-cp-2, namespace: x}, spec: {containers: [{name: c, image: 'r.io/a:1'}]}, status: {containerStatuses: [{name: c, imageID: 'docker-pullable://r.io/a@sha256:aa11223344556677'}]}}}]}}}",
            "PASS",
        ),
        (
            "{mirrors: [{pod: {metadata: {name: a-cp-1, namespace: x}, spec: {containers: [{name: c, image: 'r.io/a:1'}]}, status: {containerStatuses: [{name: c, imageID: 'r.io/a@sha256:aa11223344556677'}]}}}], nodes: {cp-2: {mirrors: [{pod: {metadata: {name: a-cp-2, namespace: x}, spec: {containers: [{name: c, image: 'r.io/a:1'}]}, status: {containerStatuses: [{name: c, imageID: 'r.io/a@sha256:bb11223344556677'}]}}}]}}}",
            "FAIL high: container c of x/a-cp-1 runs r.io/a:1 as sha256:aa1122334455, cp-2 as sha256:bb1122334455",
        ),
        (
            "{mirrors: [{pod: {metadata: {name: a-cp-1, namespace: x}, spec: {containers: [{name: c, image: 'r.io/a:1'}]}, status: {containerStatuses: [{name: c, imageID: 'sha256:aa11223344556677'}]}}}], nodes: {cp-2: {mirrors: [{pod: {metadata: {name: a-cp-2, namespace: x}, spec: {containers: [{name: c, image: 'r.io/a:1'}]}, status: {containerStatuses: [{name: c, imageID: 'r.io/a@sha256:bb11223344556677'}]}}}]}}}",
            "MANUAL: is r.io/a:1 of container c of x/a-cp-1 the image that cp-2 runs? its runtime tells no digest of a registry: crictl inspecti shows it",
        ),
        (
            "{mirrors: [{pod: {metadata: {name: a-cp-1, namespace: x}, spec: {containers: [{name: c, image: 'r.io/a:1'}]}, status: {containerStatuses: [{name: c, imageID: 'r.io/a@sha256:aa11223344556677'}]}}}], object: {labels: {kubernetes.io/arch: arm64}}, nodes: {cp-2: {mirrors: [{pod: {metadata: {name: a-cp-2, namespace: x}, spec: {containers: [{name: c, image: 'r.io/a:1'}]}, status: {containerStatuses: [{name: c, imageID: 'r.io/a@sha256:bb11223344556677'}]}}}], object: {labels: {kubernetes.io/arch: amd64}}}}}",
            "N/A: no image of its static pods runs by the same tag on another node",
        ),
        (
            "{mirrors: []}",
            "N/A: no image of its static pods runs by the same tag on another node",
        ),
        (
            "{mirrors: [], unread: forbidden}",
            "UNKNOWN: the API server forbids list pods",
        ),
        (
            "{mirrors: {gap: api}}",
            "UNKNOWN: the API server did not answer: connection refused",
        ),
    ],
    judge: Judge::Peers(judge),
    file: file!(),
};

fn judge(node: &NodeFacts, view: &View<'_>) -> Result<Verdict, Gap> {
    let list = node.api.mirrors.get()?;
    let mut tally = Tally::new();
    tally.good(list.at);
    unread(node, &mut tally);
    let mut shared = 0;
    for own in tagged(mirrors(list)) {
        shared += usize::from(one(node, view, &own, &mut tally));
    }
    match tally.verdict()? {
        Verdict::Pass { evidence, .. } if shared == 0 => Ok(not_applicable(
            evidence.iter(),
            "no image of its static pods runs by the same tag on another node",
        )),
        verdict => Ok(verdict),
    }
}

/// Judges one container; whether another node has its tag too.
fn one(node: &NodeFacts, view: &View<'_>, own: &Tagged<'_>, tally: &mut Tally) -> bool {
    let Some(digests) = view.images().of(arch(node), &own.tag) else {
        return false;
    };
    let pod = &own.pod.pod;
    let words = format!("container {} of {}/{}", own.name, pod.namespace, pod.name);
    let Some(digest) = own.digest else {
        let names = digests.values().flat_map(|(_, names)| names).next();
        if let Some(other) = names {
            tally.gap(Gap::NeedsHuman {
                question: Text::from(format!(
                    "is {} of {words} the image that {other} runs? its runtime tells no digest of a registry: crictl inspecti shows it",
                    own.tag
                )),
            });
        }
        return true;
    };
    let agree = digests.get(digest).map_or(0, |(count, _)| *count);
    tally.good(own.at);
    let others = digests.iter().filter(|(other, _)| *other != digest);
    let most = others.max_by_key(|(_, (count, _))| *count);
    let Some((other, (count, names))) = most else {
        return agree > 1;
    };
    // The few are the odd ones: of two that differ both.
    if *count >= agree {
        let message = format!(
            "{words} runs {} as {}, {} as {}",
            own.tag,
            short(digest),
            named(names, *count),
            short(other)
        );
        let subject = Subject::container(&pod.namespace, &pod.name, &own.name);
        tally.offence(offence(subject, Severity::High, message, evidence(own.at)));
    }
    true
}

fn evidence(at: Locator) -> [Locator; 2] {
    [at, Locator::list(Need::MirrorPods)]
}

fn named(names: &[Text], count: usize) -> String {
    let all: Vec<&str> = names.iter().map(Text::as_str).collect();
    let more = count.saturating_sub(all.len());
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", all.join(", "))
}
