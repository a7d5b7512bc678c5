# Whose a process is, and where.
who() {
  u= g=
  while read -r a b z; do case $a in Uid:) u=$b; break;; esac; done <"$1/status"
  while IFS= read -r a; do g="$g $a"; done <"$1/cgroup"
}
# A process that may be the kubelet: one of root, in our mount namespace or at least in no container, decides
# which files are read. Any other one is only reported, so that nobody can point us to a file.
process() {
  s= k=other
  { IFS= read -r s <"$1/stat"; }
  s=${s##*) }
  case $u,$g in
  0,*kubepods*|0,*docker*|0,*libpod*|0,*containerd*|0,*crio*|0,*lxc*|0,*machine.slice*) ;;
  0,*) k=host;;
  esac
  [ "$u" != 0 ] || [ -z "$mine" ] || [ "$(run readlink "$1/ns/mnt")" != "$mine" ] || k=same
  cwd=
  [ "$uid" != 0 ] || cwd=$(run readlink "$1/cwd")
  nm "$2"; y=$r
  nm "$cwd"; cw=$r
  nm "$g"; g=$r
  set -- "$1" "$2" $s
  rec "P$T${1#/proc/}$T$y$T$u$T${22}$T$k$T$cw$T$g"
  file "$1/cmdline" 65536
  [ $k != other ] || return 0
  a=
  [ "$uid" != 0 ] || { a=$(run readlink "$1/exe"); a=${a%" (deleted)"}; want program "$a"; }
  # k3s and RKE2 run what they have unpacked into their data folder; a kubelet of another's stands before k3s.
  case $a,$2 in
  *[\ $T$N]*) ;;
  /*/data/*/bin/*,k3s*) ranchers="${a%/data/*/bin/*} $rancher";;
  /*/data/*/bin/*,kubelet) ranchers="$rancher ${a%/data/*/bin/*}";;
  esac
  case $2 in
  kubelet) host=1;;
  kubelite)
    host=1
    file /var/snap/microk8s/current/args/kubelet 65536 || return 0
    a=/var/snap/microk8s
    arguments kubelet "$(top 65536 $a/current/args/kubelet |
      sed -e "s!\${SNAP_DATA}!$a/current!g" -e "s!\${SNAP_COMMON}!$a/common!g")"
    return 0
    ;;
  *)
    host=1
    value data_dir "${ranchers%% *}"
    want config-dir "${ranchers%% *}/agent/etc/kubelet.conf.d"
    set +f; set -- "$1" "$2" /etc/rancher/k3s/config.yaml /etc/rancher/k3s/config.yaml.d/*.yaml; set -f
    a=$1; shift 2
    for f do
      [ ! -e "$f" ] || output "$f" 65536 sed -n '/^kubelet-arg/,/^[A-Za-z]/{/^kubelet-arg/p;/^[ -]/p;}' "$f"
    done
    arguments k3s "$(run tr '\0' '\n' <"$a/cmdline")"
    started "$a"
    return 0
    ;;
  esac
  arguments kubelet "$(run tr '\0' '\n' <"$1/cmdline")"
}
# k3s writes over its command line: its unit, or what systemd has loaded of it, tells the kubelet's share of it.
# Nothing else of that leaves the node, since a token may stand beside it.
started() {
  o=
  case $(run tr '\0' ' ' <"$1/cmdline") in *kubelet-arg*) return 0;; esac
  ! command -v systemctl >/dev/null || o=$(run systemctl show k3s.service k3s-agent.service -p ExecStart)
  case $o in
  *argv*) ;;
  *)
    o= b=/etc/systemd/system
    set +f; set -- $b/k3s*.service.d/*.conf; set -f
    if [ -f "$1" ] && run grep -qs '^[[:space:]]*ExecStart' "$@"; then lack 'k3s unit' error; return 0; fi
    for f in $b/k3s.service $b/k3s-agent.service; do
      [ ! -f "$f" ] || o="$o$N$(run sed '/^[[:space:]]*[#;]/d' "$f")"
    done
    case $o in *ExecStart*) ;; *) lack 'k3s unit' absent; return 0;; esac
    ;;
  esac
  o=$(put "$o" | tr -d "\"'\\\\" | tr -s ' \t' '\n\n' | cap 65536 |
    sed -n -e '/^--kubelet-arg$/{n;s/^/--kubelet-arg=/p;}' -e '/^--kubelet-arg=/p')
  blob 'k3s unit' "$({ put "$o"; echo x0; } | enc)"
  arguments k3s "$o"
}
# Paths that a command line names. The reader reads it again, exactly; here it is enough to miss none.
arguments() {
  k=
  IFS=$N; set -- "$1" $2; IFS=$D
  b=$1; shift
  for a do
    case $b,$k in
    *,kubelet-arg) a=--$a;;
    k3s,*) case $a in --kubelet-arg=*) a=--${a#*=};; --kubelet-arg) k=kubelet-arg; continue;; *) k=; continue;; esac;;
    *,?*) want "$k" "$a"; k=; continue;;
    esac
    k=
    case $a in
    --*=*) flag "${a%%=*}"; [ -z "$fl" ] || want "$fl" "${a#*=}";;
    *) flag "$a"; k=$fl;;
    esac
  done
}
# What the path of a flag is; the last ones only for s_kubelet_files.
flag() {
  case $1 in
  --config) fl=config;;
  --config[-_]dir) fl=config-dir;;
  --pod[-_]manifest[-_]path) fl=folder;;
  --kubeconfig) fl=kubelet_kubeconfig;;
  --bootstrap[-_]kubeconfig) fl=bootstrap_kubeconfig;;
  --root[-_]dir) fl=root_dir;;
  --cert[-_]dir) fl=kubelet_pki;;
  --client[-_]ca[-_]file) fl=client_ca;;
  --tls[-_]cert[-_]file) fl=certificate;;
  --tls[-_]private[-_]key[-_]file) fl=private_key;;
  --container[-_]runtime[-_]endpoint) fl=runtime_socket;;
  --image[-_]credential[-_]provider[-_]config) fl=pull_credential;;
  *) fl=;;
  esac
}
# How its unit would start the kubelet; what that names is of interest where none runs.
unit() {
  command -v systemctl >/dev/null || return 0
  o=$(run systemctl show kubelet -p ExecStart -p Environment -p EnvironmentFiles)
  blob 'systemctl show kubelet' "$({ put "$o"; echo x0; } | enc)"
  a=$o
  IFS=$N
  for f in $o; do
    IFS=$D
    case $f in EnvironmentFiles=/*) f=${f#*=}; f=${f%%" ("*};; *) continue;; esac
    file "$f" 65536 || continue
    a="$a $(top 65536 "$f")"
  done
  IFS=$D; [ -z "$host" ] || return 0
  IFS="$D\"'="; set -- $a; IFS=$D
  k=
  for a do
    case $k in ?*) want "$k" "$a";; esac
    flag "$a"; k=$fl
  done
}
# $1: config, config-dir, folder or another word of flag; $2: a path, relative to $cwd.
want() {
  case $2 in '') return;; unix:///*) p=${2#unix://};; /*) p=$2;; *://*) return;; *) p=${cwd%/}/$2;; esac
  while :; do case $p in ?*/) p=${p%/};; *) break;; esac; done
  case $wanted in *"//$1:$p//"*) return;; esac
  wanted=$wanted$1:$p//
  case $1 in
  root_dir) kr=$p; [ $kn -ge 40 ] || { kn=$((kn + 1)); eval "k$kn=\$p w$kn=\$1"; };;
  config) [ $cn -ge 8 ] || { cn=$((cn + 1)); eval "c$cn=\$p"; };;
  config-dir) [ $vn -ge 40 ] || { vn=$((vn + 1)); eval "v$vn=\$p"; };;
  folder) [ $sn -ge 16 ] || { sn=$((sn + 1)); eval "s$sn=\$p"; };;
  *) [ $kn -ge 40 ] || { kn=$((kn + 1)); eval "k$kn=\$p w$kn=\$1"; };;
  esac
}
# A configuration file, and the folders that it may name.
config() {
  file "$1" 262144 || return 0
  z="['\"]\\{0,1\\}[[:space:]]*:[[:space:]]*"
  o=$(
    run sed -n -e h -e "s/.*[sS]tatic[pP]od[pP]ath$z/folder /p" -e g -e "s/.*[cC]lient[cC][aA][fF]ile$z/client_ca /p" \
      -e g -e "s/.*[tT]ls[cC]ert[fF]ile$z/certificate /p" -e g -e "s/.*[tT]ls[pP]rivate[kK]ey[fF]ile$z/private_key /p" \
      -e g -e "s/.*[cC]ontainer[rR]untime[eE]ndpoint$z/runtime_socket /p" "$1"
  )
  IFS=$N
  for a in $o; do
    IFS=$D
    fl=${a%% *} a=${a#* }
    case $a in
    \"*) a=${a#?}; a=${a%%\"*};;
    \'*) a=${a#?}; a=${a%%\'*};;
    *) a=${a%% #*}; z='[,}]*'; a=${a%%$z}; a=${a%"${a##*[! $T]}"};;
    esac
    want "$fl" "$a"
  done
  IFS=$D
}
# An entry of a folder of drop-ins: a file of that name, links followed, or a folder, links not followed.
dropin() {
  if [ ! -L "$1" ] && [ -d "$1" ]; then want config-dir "$1"
  else case $1 in *.conf) config "$1";; esac; fi
}
rancher='/var/lib/rancher/k3s /var/lib/rancher/rke2' ranchers=$rancher
# Paths below the data folders of k3s and RKE2.
below() { for y in $ranchers; do for z do put "$y/$z"; done; done; }
cn=0 vn=0 sn=0 kn=0 wanted=// mine= host= parts= tools= kr=/var/lib/kubelet
[ "$uid" != 0 ] || mine=$(run readlink /proc/self/ns/mnt)
set +f; set -- /proc/[0-9]*; set -f
for f do
  m=; { read -r m <"$f/comm"; }
  case $m in
  kubelet|k3s*|kubelite) who "$f"; process "$f" "$m";;
  kube-apiserver|kube-controller*|kube-scheduler|etcd)
    # Whoever may choose its name and its words is not to name files: manifests tell those of pods.
    who "$f"; case $u,$g in 0,*kubepods*) ;; 0,*) parts="$parts $f/cmdline";; esac
    ;;
  auditd|falco*|osqueryd|tetragon|auditbeat|kubearmor|sysdig|wazuh*|ossec*)
    who "$f"; case $u,$g in 0,*kubepods*) tools="$tools pod:$m";; 0,*) tools="$tools $m";; esac
    ;;
  esac
done
unit
if [ -z "$host" ]; then
  for f in /var/lib/kubelet/config.yaml /etc/kubernetes/kubelet-config.yaml /etc/kubernetes/kubelet/config.json \
    /etc/kubernetes/kubelet/config /home/kubernetes/kubelet-config.yaml /etc/default/kubeletconfig.json; do
    [ ! -e "$f" ] || want config "$f"
  done
  for f in /etc/kubernetes/kubelet/config.json.d $(below agent/etc/kubelet.conf.d); do
    [ ! -e "$f" ] || want config-dir "$f"
  done
fi
i=0; while [ $i -lt $cn ]; do i=$((i + 1)); eval "f=\$c$i"; walk "$f"; cwd=${f%/*}; config "$f"; done
cwd=
i=0; while [ $i -lt $vn ]; do
  i=$((i + 1)); eval "f=\$v$i"; walk "$f"
  [ -L "$f" ] || [ ! -d "$f" ] || list "$f" dropin
done
looks
