# Static pods first: their uid is no UUID, unless a manifest pins one.
set +f; set -- /proc/[0-9]*/cgroup; set -f
inpods=$({ run grep -m1 kubepods "$@" /dev/null; echo "x$?"; } |
  sed 's!^/proc/\([0-9]*\)/cgroup:[^/]*!\1 !' | cap 700000)
x=${inpods##*x} w='pod........[-_]....[-_]....[-_]....[-_]............'
inpods=$({ put "$inpods" | grep -v -e "$w" -e '^x'; put "$inpods" | grep "$w"; } | head -n 301)
blob cgroups "$({ [ -z "$inpods" ] || put "$inpods"; put "x$x"; } | enc)"
# One call for each file of all in $y: $1 its name, $2 its name here, then what to take of it.
all() {
  a=$1 b=$2; shift 2
  g=
  for f in $y; do g="$g /proc/$f/$a"; done
  blob "$b" "$(
    { run grep -aH "$@" $g /dev/null; echo "x$?"; } |
      sed -e 's!^/proc/\([0-9]*\)/[^:]*:!\1 !' -e "$cut" | cap 300000 | enc
  )"
}
cut=
# The node's own components, in pods or not; their command lines say how they are set up.
set +f; set -- /proc/[0-9]*/comm; set -f
w='kubelet|kube-(apiserver|controller|scheduler|proxy)|cloud-controlle|etcd|containerd|dockerd|cri-dockerd|crio'
y=$(run grep -xE "$w|k3s-(server|agent)|kubelite|rke2" "$@" /dev/null |
  sed 's!^/proc/\([0-9]*\)/comm:!\1 !' | head -n 41)
set -- $y
y=
[ $# -lt 82 ] || value more components
while [ $# -gt 1 ]; do
  y="$y $1"
  case $2 in kube-*|etcd|cloud-*|containerd|crio) file "/proc/$1/cmdline" 65536;; esac
  shift 2
done
value components "$y"
set -- $(put "$inpods" | sed -n '1,300s/ .*//p')
all cgroup places -e kubepods
g=
for f in $y "$@"; do case $g in *" $f "*) ;; *) g="$g $f ";; esac; done
y=$g
all status status -E '^((Uid|Gid|Cap(Prm|Eff|Bnd)|NoNewPrivs|Seccomp):)'
cut='s! (\(.*\)) [A-Z] \([^ ]* \)\{18\}\([0-9]*\) .*! \3 \1!'
all stat starts -m1 ''
cut='s!^\([0-9]*\) .* / \([^ ,]*\)[^ ]* .* - [^ ]* [^ ]* \([^ ,]*\)[^ ]*$!\1 \2 \3!'
all mountinfo roots -E '^[0-9]+ [0-9]+ [0-9:]+ [^ ]+ / '
cut=
all uid_map users -m1 ''
all oom_score_adj ooms -m1 ''
# Without a module that gives labels not even our own can be read.
v= a=attr/apparmor/current
{ IFS= read -r v </proc/self/$a; }
[ -n "$v" ] || { a=attr/current; { IFS= read -r v </proc/self/$a; }; }
value label "$v"
[ -z "$v" ] || all "$a" labels -m1 ''
if [ "$uid" = 0 ]; then
  set -- $y
  i=0
  while [ $# -gt 0 ] && [ $i -lt 60 ]; do
    i=$((i + 1)); f=$(run readlink "/proc/$1/exe") && { nm "$f"; rec "Q$T$1$T$r"; }; shift
  done
fi
# Which container an id is: <pod>_<namespace>_<container>-<id>.log.
d=/var/log/containers
if ! f=$(run ls -a "$d" 2>&1 >/dev/null); then why "$f"; rec "D$T$d$T$r"
else
  set -- $(put "$inpods" | sed -n 's!.*[^0-9a-f]\([0-9a-f]\{64\}\)\([^0-9a-f].*\)\{0,1\}$!\1!p')
  y=" $* "
  set +f; set -- "$d"/*.log; set -f
  for f do
    x=${f%.log}
    case $y in *" ${x##*-} "*) nm "${f##*/}"; rec "N$T$r";; esac
  done
  rec "D$T$d${T}ok"
fi
