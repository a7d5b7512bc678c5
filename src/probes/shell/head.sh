# Reads only: no file is made or changed, nothing is started that stays. Takes nothing but a nonce, from the
# first line of its input or, as a forced command, from SSH_ORIGINAL_COMMAND. Everything that a name or a file
# says is printed encoded. Install it as /usr/local/libexec/stakeout-collect, owner root:root, mode 0755.
stk() {
LC_ALL=C PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin:/run/current-system/sw/bin
export LC_ALL PATH
unset CDPATH ENV BASH_ENV GREP_OPTIONS POSIXLY_CORRECT TZ OPENSSL_CONF SSLKEYLOGFILE
umask 077
set -f
# Where it is no device, writing to it would make a file.
[ -c /dev/null ] || { echo '@STK1 FAIL /dev/null'; return; }
exec 2>/dev/null
T='	' N='
'
CR=$(printf '\r')
D=" $T$N" IFS=" $T$N"
# There are no local variables. What a section keeps over a call has a name that the callee does not set: those of
# this part set l, o, p, r, w, x, and names of two letters or more; pem, usual and texts set others as well.

# The nonce: 32 hex digits. By hand there is none, and zeros stand for it.
hex() { case $1 in *[!0-9a-f]*) return 1;; esac; [ ${#1} -eq 32 ]; }
nonce=${STK_NONCE-}
hex "$nonce" || nonce=${SSH_ORIGINAL_COMMAND-}
if ! hex "$nonce"; then
  nonce=
  [ -t 0 ] || IFS= read -r nonce
  nonce=${nonce#STK_NONCE=}
fi
hex "$nonce" || nonce=00000000000000000000000000000000
exec </dev/null

# One line out. mksh has no printf of its own, and an external one cannot take long arguments.
if [ "$(command -v printf)" = printf ]; then put() { printf '%s\n' "$1"; }
elif [ "$(command -v print)" = print ]; then put() { print -r -- "$1"; }
else put() { echo "$1"; }; fi

# Deadlines: each command has five seconds, a section eight, all of it 25; what is late is said to be late.
t=
timeout 5 true && t='timeout 5'
clock() { now=0; read -r now cz </proc/uptime; now=${now%%.*}; }
clock; end=$((now + 25)) due=$((now + 25))
late() { clock; [ $now -ge $due ]; }
run() { ! late || return 124; $t "$@"; }

if [ "$(printf x | base64 -w0)" = eA== ]; then e=b64; enc() { base64 -w0; }
elif [ "$(printf x | base64)" = eA== ]; then e=b64; enc() { base64 | tr -d '\n'; }
elif [ "$(printf x | openssl base64 -A)" = eA== ]; then e=b64; enc() { openssl base64 -A; }
elif [ "$(printf x | od -An -v -tx1 | tr -d ' \n')" = 78 ]; then e=hex; enc() { od -An -v -tx1 | tr -d ' \n'; }
else put "$N@STK1 FAIL base64"; return; fi
if [ "$(printf xy | head -c 1)" = x ]; then top() { run head -c "$1" "$2"; }; cap() { head -c "$1"; }
else top() { run dd if="$2" bs="$1" count=1; }; cap() { cat; }; fi
sk=ls
stat -c '%f %u %g %h %s %Y %Z' / >/dev/null && sk=stat
ak=none
if command -v getfacl >/dev/null; then ak=getfacl
else case $(ls --version) in *coreutils*) ak=ls;; esac; fi

c=0 total=0 size=0
rec() {
  c=$((c + 1)) size=$((size + ${#1}))
  [ $size -lt 3900000 ] || { put '@STK1 FAIL budget'; exit; }
  put "$1"
}
# r = a name, as it is or encoded.
nm() { case $1 in ''|*[!A-Za-z0-9._/@:+=,-]*) r=%$(printf %s "$1" | enc);; *) r=$1;; esac; }
# Why a command failed, by the end of its message: what stands before is a name, and may say anything.
why() {
  case $1 in
  *'ermission denied'|*'not permitted') r=denied;;
  *'o such file or directory'|*'ot a directory') r=absent;;
  '') r=timeout;;
  *) r=error;;
  esac
}
value() { nm "$2"; rec "V$T$1$T$r"; }
lack() { nm "$1"; rec "Y$T$r$T$2"; }
hid() { nm "$1"; rec "D$T$r$T$2"; }
# $1: a name, $2: encoded content with "x" and the status of its command behind it, cut off where it is too long.
blob() {
  if [ $((size + ${#2})) -gt 3200000 ]; then lack "$1" budget; else nm "$1"; rec "F$T$r$T%$2"; fi
}
# Somebody else asks where a mount may not answer: 124 then.
open() { if [ -z "$nets" ]; then [ -f "$1" ] && [ -r "$1" ]; else run test -f "$1" -a -r "$1"; fi; }
there() { if [ -z "$nets" ]; then [ -e "$1" ] || [ -L "$1" ]; else run ls -d "$1" >/dev/null; fi; }
dir() {
  if [ -z "$nets" ]; then [ -d "$1" ]; else run test -d "$1"; fi
  case $? in 0) return 0;; 124) hid "$1" timeout;; *) ! shut "$1" || hid "$sd" denied;; esac
  return 1
}
# Whether a closed folder hides $1: the last one on the way that can be seen.
shut() { sd=${1%/*}; while [ ! -e "${sd:=/}" ]; do sd=${sd%/*}; done; [ -d "$sd" ] && [ ! -x "$sd" ]; }
# Why there is nothing of file $1.
no() {
  if o=$(run ls -ldL "$1" 2>&1); then case $o in -*) r=denied;; *) r=kind;; esac; else why "$o"; fi
  lack "$1" $r; return 1
}
# The content of a regular file under the name $1, of one of more than $2 bytes none. A pipe is never opened.
file() {
  open "$1" || { no "$1"; return; }
  o=$({ top $(($2 + 3)) "$1"; echo "x$?"; } | enc)
  # What the last line adds, and three bytes more than is fine.
  if [ $e = hex ]; then fz=$((($2 + 6) * 2)); else fz=$((($2 + 8) / 3 * 4)); fi
  if [ ${#o} -ge $fz ]; then lack "$1" cut; return 1; else blob "$1" "$o"; fi
}
# The output of a command, at most $2 bytes, under the name $1.
output() { oa=$1 ob=$2; shift 2; blob "$oa" "$({ run "$@"; echo "x$?"; } | cap "$ob" | enc)"; }

# Names to look at, in the order in which they were met. No path here holds two slashes in a row.
qn=0 qd=0 qm=0 seen=//
# Mounts of the network, of automounters and of programs may not answer: who walks there lets somebody else try.
nets=$(sed -n -e '\!^\([^ ]* \)\{4\}/\(proc\|sys\)/!d' \
  -e 's!^\([^ ]* \)\{4\}\(/[^ ]\{1,\}\) .* - \(nfs\|cifs\|smb\|ceph\|autofs\|fuse\).*!\2!p' /proc/self/mountinfo)
q() { case $seen in *"//$1//"*) ;; *) seen=$seen$1//; push "$1";; esac; }
push() { qn=$((qn + 1)); eval "q$qn=\$1 t$qn="; }
# l = the target of a link, kept with the name if that was the last one met.
target() {
  l=$(run readlink -n "$1"; echo x); l=${l%x}
  eval "[ \"\$q$qn\" != \"\$1\" ] || t$qn=\$l"
}
# Every name on the way to $1, links followed as the kernel does.
walk() {
  w=$1 at= hops=0
  q /
  ! late || return 0
  while :; do
    while :; do case $w in /*) w=${w#/};; *) break;; esac; done
    [ -n "$w" ] || return 0
    x=${w%%/*}
    case $w in */*) w=${w#*/};; *) w=;; esac
    case $x in .) continue;; ..) at=${at%/*}; continue;; esac
    p=$at/$x
    case $N$nets$N in *"$N$p$N"*)
      run ls -d "$p" >/dev/null || { nm "$p"; rec "X$T$r${T}timeout"; return 0; };;
    esac
    q "$p"
    if [ -L "$p" ]; then
      hops=$((hops + 1))
      [ $hops -le 40 ] || return 0
      target "$p"
      [ -n "$l" ] || return 0
      case $l in /*) at=;; esac
      w=$l/$w
    elif [ -d "$p" ]; then at=$p
    else return 0; fi
  done
}
# lstat, access lists and mounts of every name that was queued since the last time, sixty at once.
looks() {
  while [ $qd -lt $qn ]; do
    set --
    j=$qd
    while [ $qd -lt $qn ] && [ $# -lt 60 ]; do qd=$((qd + 1)); eval "set -- \"\$@\" \"\$q$qd\""; done
    an=0 m=0 o= listed=
    [ $sk = ls ] || o=$(run stat -c '%f %u %g %h %s %Y %Z' -- "$@")
    IFS=$N
    for z in $o; do m=$((m + 1)); done
    if [ $m -eq $# ]; then for z in $o; do IFS=$D; j=$((j + 1)); look "$1" "$z"; shift; done
    else IFS=$D; for f do j=$((j + 1)); lone "$f"; done; fi
    IFS=$D
    acls
  done
  mounts
}
lone() {
  if [ $sk = stat ]; then z=$(run stat -c '%f %u %g %h %s %Y %Z' -- "$1" 2>&1) && { look "$1" "$z"; return; }
  else z=$(run ls -ldn "$1" 2>&1) && { look "$1" "$z"; return; }; fi
  why "$z"; z=$r; nm "$1"; rec "X$T$r$T$z"
}
look() {
  nm "$1"; x=$r
  if [ $sk = stat ]; then y=S$T$x$T$2; else nm "$2"; y=L$T$x$T$r; fi
  if [ -L "$1" ]; then
    eval "l=\$t$j"
    [ -n "$l" ] || target "$1"
    nm "$l"; y=$y$T$r
  else an=$((an + 1)); eval "a$an=\$1"; listed=$listed$T$x; fi
  rec "$y"
}
acls() {
  [ $ak != none ] && [ $an -gt 0 ] || return 0
  set --
  i=0
  while [ $i -lt $an ]; do i=$((i + 1)); eval "set -- \"\$@\" \"\$a$i\""; done
  if [ $ak = getfacl ]; then rec "G$T%$(run getfacl -cpn -- "$@" | enc)$listed"
  else rec "K$T%$(run ls -ldnbU -- "$@" | enc)$listed"; fi
}
mounts() {
  set --
  while [ $qm -lt $qn ]; do
    qm=$((qm + 1)); eval "f=\$q$qm"
    case $f in *[\\\ $T$N]*) ;; *) set -- "$@" -e " $f ";; esac
  done
  # Those of process 1: a login or a debug pod may have mounts of its own, and the kubelet has not.
  f=/proc/self/mountinfo
  [ "$uid" != 0 ] || [ ! -r /proc/1/mountinfo ] || f=/proc/1/mountinfo
  [ $# -eq 0 ] || output /proc/self/mountinfo 200000 grep -F "$@" "$f"
}
# The names in folder $1, which was walked to last, each with its own way; then $2 is called for each. Names that
# must be encoded cost processes, and no honest folder has many: beyond forty they are counted and left out;
# so are links beyond a hundred.
list() {
  if ! o=$(run ls -a "$1" 2>&1 >/dev/null); then why "$o"; hid "$1" $r; return; fi
  ld=$1 fn=$2 real=$at
  set +f; set -- "$ld"/* "$ld"/.[!.]* "$ld"/..?*; set -f
  dn=0 hn=0 sl=0 ln=0 state=ok
  nm "$ld"; here=$r
  for lf do
    case $lf in "$ld/*"|"$ld/.[!.]*"|"$ld/..?*") [ -e "$lf" ] || [ -L "$lf" ] || continue;; esac
    dn=$((dn + 1))
    ! late || { state=timeout; break; }
    lf=${lf#"$ld"/}
    case $lf in *[!A-Za-z0-9._/@:+=,-]*) hn=$((hn + 1)); [ $hn -le 40 ] || { state=more; continue; };; esac
    [ ! -L "$real/$lf" ] || { sl=$((sl + 1)); [ $sl -le 100 ] || { state=more; continue; }; }
    ln=$((ln + 1))
    [ $ln -le 250 ] || { state=more; break; }
    nm "$lf"; rec "E$T$here$T$r"
    eval "n$ln=\$lf"
    if [ -L "$real/$lf" ]; then walk "$real/$lf"; else q "$real/$lf"; fi
  done
  rec "D$T$here$T$state$T$dn"
  [ $ln -le 250 ] || ln=250
  set -- $ln
  ln=0
  while [ $ln -lt $1 ]; do ln=$((ln + 1)); eval "lf=\$n$ln"; $fn "$ld/$lf"; done
}
# A file that counts: $1 what it is to the node, $2 where, $3 the flag that names it. Others have no such path.
at() {
  case $2 in /*) ;; *) return 0;; esac
  nm "$2"; rec "W$T$1$T$r${3:+$T$3}"; walk "$2"
}
ua=at
usual() {
  u=$1; shift
  for v do
    there "$v"; case $? in 0) $ua "$u" "$v";; 124) hid "$v" timeout;; *) ! shut "$v" || hid "$sd" denied;; esac
  done
}
# Command $@ on the manifests.
texts() {
  i=0; while [ $i -lt $mn ]; do i=$((i + 1)); eval "f=\$m$i"; ! open "$f" || set -- "$@" "$f"; done
  run "$@"
}
# A folder and what lies in it: $1 what it is, $3 is called for each name.
inside() {
  at "$1" "$2"
  ! dir "$2" || list "$2" "$3"
}
# The certificates of file $1, and nothing else of it: the first 32, out of 64 kB. Keys stay where they are.
certs() {
  open "$1" || { no "$1"; return; }
  o=$(top 65537 "$1"; echo "x$?")
  case ${o##*x},$((${#o} / 65539)) in
  0,0) pem "$1" "${o%x0}";;
  0,*) lack "$1" cut;;
  124,*) lack "$1" timeout;;
  *) lack "$1" error;;
  esac
}
pem() {
  nm "$1"; y=$r; z= e1=0
  IFS=$N
  for l in $2; do
    l=${l%"${l##*[! $T$CR]}"}
    case $l in
    '-----BEGIN CERTIFICATE-----') z=1 b=;;
    '-----END CERTIFICATE-----') e1=$((e1 + 1)); [ -z "$z" ] || [ $e1 -gt 32 ] || rec "C$T$y$T$b"; z=;;
    *[!A-Za-z0-9+/=]*) z=;;
    *) b=$b$l;;
    esac
  done
  IFS=$D
  rec "N$T$y$T$e1"
}
runtimes='/etc/containerd/config.toml /etc/containerd/conf.d/*.toml /etc/crio/crio.conf /etc/crio/crio.conf.d/*
/var/lib/rancher/*/agent/etc/containerd/config.toml /var/snap/microk8s/current/args/containerd.toml'
section() {
  clock; due=$((now + 8)); [ $due -lt $end ] || due=$end
  c=0; put "@STK1 SECTION $1"; "s_$1"; put "@STK1 DONE $1 $c"; total=$((total + c))
}
