//! Certificates of a node with the days that they are still good for: those of files, and those inside kubeconfigs.

use super::sheet::{Cell, Column, Hole, Line, Row, Sheet, Standing, fixed, share, wide};
use crate::checks::tls::{SOON, days_left};
use crate::model::Timestamp;
use crate::model::fact::{Fact, Gap};
use crate::model::files::{Certificate, CertificateFile, Kubeconfig};
use crate::model::node::NodeFacts;
use crate::model::text::Text;

pub const COLUMNS: &[Column] = &[
    fixed("DAYS", 6),
    share("NAME", 3),
    fixed("USE", 7),
    fixed("EXPIRES", 10),
    share("FILE", 4),
    wide(share("ISSUER", 2), 120),
    wide(fixed("KEY", 10), 140),
];

pub fn sheet(facts: &NodeFacts, now: Timestamp) -> Sheet {
    let mut out = Sheet {
        about: "days left by the clock of this machine".to_owned(),
        ..Sheet::default()
    };
    let node = &facts.name;
    match &facts.host.pki {
        Fact::Gap(gap) => out.holes.push(Hole::of("certificate files", gap, node)),
        Fact::Seen(pki) => {
            let gaps = pki.value.list.gaps.iter();
            let hole = |gap: &Gap| Hole::of("certificate folders", gap, node);
            out.holes.extend(gaps.map(hole));
            for file in &pki.value.certificates {
                add_file(&mut out, file, facts, now);
            }
        }
    }
    match &facts.host.kubeconfigs {
        Fact::Gap(gap) => out.holes.push(Hole::of("kubeconfigs", gap, node)),
        Fact::Seen(kubeconfigs) => {
            let gaps = kubeconfigs.value.list.gaps.iter();
            let hole = |gap: &Gap| Hole::of("kubeconfigs", gap, node);
            out.holes.extend(gaps.map(hole));
            for kubeconfig in &kubeconfigs.value.contents {
                add_kubeconfig(&mut out, kubeconfig, facts, now);
            }
        }
    }
    out
}

fn add_file(out: &mut Sheet, file: &CertificateFile, facts: &NodeFacts, now: Timestamp) {
    match &file.content {
        Fact::Gap(gap) => out
            .holes
            .push(Hole::of(file.path.to_string(), gap, &facts.name)),
        Fact::Seen(content) => {
            for (index, certificate) in content.value.iter().enumerate() {
                out.rows
                    .push(row(certificate, (&file.path, &file.flag), index, now));
            }
        }
    }
}

fn add_kubeconfig(out: &mut Sheet, kubeconfig: &Kubeconfig, facts: &NodeFacts, now: Timestamp) {
    match &kubeconfig.content {
        Fact::Gap(gap) => {
            let hole = Hole::of(kubeconfig.path.to_string(), gap, &facts.name);
            out.holes.push(hole);
        }
        Fact::Seen(content) => {
            let flag = Text::new("client-certificate-data");
            for (index, certificate) in content.value.clients.iter().enumerate() {
                out.rows
                    .push(row(certificate, (&kubeconfig.path, &flag), index, now));
            }
        }
    }
}

/// `index`: of the certificate in its file; a file with one shows none.
fn row(
    certificate: &Certificate,
    (path, flag): (&Text, &Text),
    index: usize,
    now: Timestamp,
) -> Row {
    let now = now.as_second();
    let left = certificate.not_after.saturating_sub(now);
    let days = days_left(certificate.not_after, now);
    let early = certificate.not_before > now;
    let (standing, state) = match days {
        _ if left <= 0 => (Standing::Bad, "expired"),
        _ if early => (Standing::Bad, "not yet valid"),
        days if days < SOON => (Standing::Warning, "soon"),
        _ => (Standing::Good, "valid"),
    };
    let usage = if certificate.ca {
        "ca".to_owned()
    } else {
        let words: Vec<&str> = certificate.usages.iter().map(Text::as_str).collect();
        match words.as_slice() {
            [] => "-".to_owned(),
            [one] => (*one).to_owned(),
            _ => "both".to_owned(),
        }
    };
    let file = if index == 0 {
        path.to_string()
    } else {
        format!("{path} #{}", index + 1)
    };
    Row {
        key: format!("{path} {flag} {index}"),
        cells: vec![
            Cell::number(
                if early {
                    "early".to_owned()
                } else {
                    days.to_string()
                },
                left,
            ),
            Cell::from(certificate.common_name.to_string()),
            Cell::from(usage),
            Cell::number(day(certificate.not_after), certificate.not_after),
            Cell::from(file),
            Cell::from(certificate.issuer.to_string()),
            Cell::from(format!("{} {}", certificate.key, certificate.key_bits)),
        ],
        standing,
        state,
        detail: detail(certificate, path, flag),
    }
}

fn detail(certificate: &Certificate, path: &Text, flag: &Text) -> Vec<Line> {
    let list = |list: &[Text]| {
        let words: Vec<&str> = list.iter().map(Text::as_str).collect();
        if words.is_empty() {
            "-".to_owned()
        } else {
            words.join(", ")
        }
    };
    let issuer = if certificate.self_signed {
        format!("{} (itself)", certificate.issuer)
    } else {
        certificate.issuer.to_string()
    };
    let mut out = vec![
        Line::Named("FILE", path.to_string()),
        Line::Named(
            "NAME",
            format!(
                "{}  groups: {}",
                certificate.common_name,
                list(&certificate.organizations)
            ),
        ),
        Line::Named(
            "VALID",
            format!(
                "{} to {}",
                moment(certificate.not_before),
                moment(certificate.not_after)
            ),
        ),
        Line::Named("ALSO", list(&certificate.names)),
        Line::Named("ISSUER", issuer),
        Line::Named(
            "KEY",
            format!(
                "{} {} bits, {}",
                certificate.key, certificate.key_bits, certificate.signature
            ),
        ),
        Line::Named("SERIAL", certificate.serial.to_string()),
        Line::Named("SHA256", format!("{} of the public key", certificate.spki)),
    ];
    if !flag.is_empty() {
        out.insert(
            1,
            Line::Named(
                "FROM",
                format!("--{flag}").replace(
                    "--client-certificate-data",
                    "client-certificate-data of a kubeconfig",
                ),
            ),
        );
    }
    out
}

fn day(seconds: i64) -> String {
    Timestamp::from_second(seconds)
        .map_or_else(|_| "-".to_owned(), |at| at.strftime("%F").to_string())
}

fn moment(seconds: i64) -> String {
    Timestamp::from_second(seconds).map_or_else(
        |_| format!("second {seconds}"),
        |at| at.strftime("%F %TZ").to_string(),
    )
}
