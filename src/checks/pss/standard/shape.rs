//! The fields of a pod that the standards look at, with their types held.
//!
//! Fields read as Go reads them: null is not set, and a list entry or a value of another type makes the whole
//! object unreadable, so nothing is judged of it.

use super::field::{Field, Malformed};
use super::path::Path;
use crate::model::pod::ContainerKind;
use crate::model::tree::Branch;

/// A pod as the standards see it.
#[derive(Clone, Debug)]
pub struct Shape<'p> {
    /// In the order of their keys.
    pub(super) annotations: Vec<(&'p str, &'p str)>,
    /// Those of hostNetwork, hostPID and hostIPC that are true.
    pub(super) host: Vec<&'static str>,
    pub(super) host_users: Option<bool>,
    pub(super) context: Context<'p>,
    /// Names, in the order in which they are given.
    pub(super) sysctls: Vec<&'p str>,
    /// Init, main, then ephemeral containers.
    pub(super) containers: Vec<Container<'p>>,
    pub(super) volumes: Vec<Volume<'p>>,
    pub(super) is_windows: bool,
}

/// A security context, of the pod or of a container. Of an object that is there without the field at stake, the
/// field is empty: upstream tells the two apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Context<'p> {
    pub(super) privileged: Option<bool>,
    pub(super) allow_privilege_escalation: Option<bool>,
    pub(super) run_as_non_root: Option<bool>,
    pub(super) run_as_user: Option<i64>,
    pub(super) host_process: Option<bool>,
    pub(super) proc_mount: Option<&'p str>,
    /// `type` of the profile.
    pub(super) seccomp: Option<&'p str>,
    /// `type` of the profile.
    pub(super) app_armor: Option<&'p str>,
    pub(super) se_linux: Option<SeLinux<'p>>,
    /// Added and dropped.
    pub(super) capabilities: Option<(Vec<&'p str>, Vec<&'p str>)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct SeLinux<'p> {
    pub(super) kind: &'p str,
    pub(super) user: &'p str,
    pub(super) role: &'p str,
}

#[derive(Clone, Debug)]
pub(super) struct Container<'p> {
    pub(super) at: Place,
    pub(super) name: &'p str,
    pub(super) context: Context<'p>,
    /// Host ports, by the index of the port; 0 where there is none.
    pub(super) host_ports: Vec<i64>,
    own_ports: Vec<i64>,
    /// Hosts that probes and lifecycle handlers name, with the field.
    pub(super) hosts: Vec<(&'static str, &'p str)>,
}

/// Where a security context stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Pod,
    Container(ContainerKind, usize),
}

#[derive(Clone, Debug)]
pub(super) struct Volume<'p> {
    pub(super) name: &'p str,
    /// The fields that are set beside the name, in the order of their keys.
    pub(super) sources: Vec<&'p str>,
}

impl Place {
    pub(super) fn path(self) -> Path {
        match self {
            Self::Pod => Path::new("spec"),
            Self::Container(kind, index) => Path::new("spec").then(kind.field()).index(index),
        }
    }

    /// A field of the security context.
    pub(super) fn context(self, tail: &str) -> Path {
        self.path().then("securityContext").then(tail)
    }
}

/// Where probes and lifecycle handlers name a host.
const HOSTS: [&str; 10] = [
    "livenessProbe.httpGet.host",
    "livenessProbe.tcpSocket.host",
    "readinessProbe.httpGet.host",
    "readinessProbe.tcpSocket.host",
    "startupProbe.httpGet.host",
    "startupProbe.tcpSocket.host",
    "lifecycle.postStart.httpGet.host",
    "lifecycle.postStart.tcpSocket.host",
    "lifecycle.preStop.httpGet.host",
    "lifecycle.preStop.tcpSocket.host",
];

impl<'p> Shape<'p> {
    /// Reads a v1 Pod, or a pod template: an object with `metadata` and `spec`.
    ///
    /// # Errors
    /// The first field that has another type than a Pod's.
    pub fn read(pod: Branch<'p>) -> Result<Self, Malformed> {
        let pod = Field::root(pod);
        let spec = pod.object("spec")?;
        let mut containers = Vec::new();
        for kind in [
            ContainerKind::Init,
            ContainerKind::Main,
            ContainerKind::Ephemeral,
        ] {
            for (index, field) in spec.items(kind.field())?.iter().enumerate() {
                containers.push(Container::read(Place::Container(kind, index), field)?);
            }
        }
        let mut host = Vec::new();
        for name in ["hostNetwork", "hostPID", "hostIPC"] {
            if spec.switch(name)? == Some(true) {
                host.push(name);
            }
        }
        let mut annotations = Vec::new();
        for field in &pod.members("metadata.annotations")? {
            annotations.push((field.key(), field.word("")?));
        }
        let sysctls = spec.items("securityContext.sysctls")?;
        let sysctls = sysctls.iter().map(|sysctl| sysctl.word("name"));
        let volumes = spec.items("volumes")?;
        Ok(Self {
            annotations,
            host,
            host_users: spec.switch("hostUsers")?,
            context: Context::read(&spec)?,
            sysctls: sysctls.collect::<Result<_, _>>()?,
            containers,
            volumes: volumes.iter().map(Volume::read).collect::<Result<_, _>>()?,
            is_windows: spec.word("os.name")? == "windows",
        })
    }

    /// The same pod with what the API server fills in before admission looks: under hostNetwork every container
    /// port is a host port (pkg/apis/core/v1/defaults.go). Ephemeral containers have none.
    #[must_use]
    pub fn defaulted(mut self) -> Self {
        if !self.host.contains(&"hostNetwork") {
            return self;
        }
        for container in &mut self.containers {
            let ports = container.host_ports.iter_mut();
            for (host, own) in ports.zip(&container.own_ports) {
                if *host == 0 {
                    *host = *own;
                }
            }
        }
        self
    }

    /// Whether it is in a user namespace of its own, which is asked for in so many words.
    pub(super) fn in_user_namespace(&self) -> bool {
        self.host_users == Some(false)
    }

    /// The contexts of the pod and of its containers, in the order in which upstream asks them.
    pub(super) fn contexts(
        &self,
    ) -> impl Iterator<Item = (Place, Option<&Container<'p>>, &Context<'p>)> {
        let pod = std::iter::once((Place::Pod, None, &self.context));
        let containers = self.containers.iter();
        pod.chain(containers.map(|container| (container.at, Some(container), &container.context)))
    }
}

impl<'p> Container<'p> {
    fn read(at: Place, field: &Field<'p, '_>) -> Result<Self, Malformed> {
        let ports = field.items("ports")?;
        let numbers = |name: &'static str| {
            let numbers = ports.iter().map(|port| port.number(name));
            let numbers = numbers.map(|number| Ok(number?.unwrap_or_default()));
            numbers.collect::<Result<Vec<i64>, Malformed>>()
        };
        let mut hosts = Vec::new();
        for name in HOSTS {
            let host = field.word(name)?;
            if !host.is_empty() {
                hosts.push((name, host));
            }
        }
        Ok(Self {
            at,
            name: field.word("name")?,
            context: Context::read(field)?,
            host_ports: numbers("hostPort")?,
            own_ports: numbers("containerPort")?,
            hosts,
        })
    }
}

impl<'p> Context<'p> {
    /// Of a container or of the spec.
    fn read(around: &Field<'p, '_>) -> Result<Self, Malformed> {
        let field = around.object("securityContext")?;
        let options = field.object("seLinuxOptions")?;
        let se_linux = SeLinux {
            kind: options.word("type")?,
            user: options.word("user")?,
            role: options.word("role")?,
        };
        let se_linux = (!options.is_null()).then_some(se_linux);
        let lists = field.object("capabilities")?;
        let capabilities = (lists.words("add")?, lists.words("drop")?);
        let capabilities = (!lists.is_null()).then_some(capabilities);
        Ok(Self {
            privileged: field.switch("privileged")?,
            allow_privilege_escalation: field.switch("allowPrivilegeEscalation")?,
            run_as_non_root: field.switch("runAsNonRoot")?,
            run_as_user: field.number("runAsUser")?,
            host_process: field.switch("windowsOptions.hostProcess")?,
            proc_mount: field.text("procMount")?,
            seccomp: field.kind("seccompProfile")?,
            app_armor: field.kind("appArmorProfile")?,
            se_linux,
            capabilities,
        })
    }
}

impl<'p> Volume<'p> {
    fn read(field: &Field<'p, '_>) -> Result<Self, Malformed> {
        let mut sources = Vec::new();
        for source in &field.members("")? {
            if source.key() != "name" && !source.object("")?.is_null() {
                sources.push(source.key());
            }
        }
        Ok(Self {
            name: field.word("name")?,
            sources,
        })
    }

    pub(super) fn has(&self, source: &str) -> bool {
        self.sources.contains(&source)
    }
}
