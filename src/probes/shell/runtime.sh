set +f; set -- /proc/[0-9]*/cgroup; set -f
o=$(
  { run grep -m1 kubepods "$@" /dev/null; echo "x$?"; } |
    sed -e 's!^/proc/\([0-9]*\)/cgroup:[^/]*!\1 !' -e '/\/[^/]*pod[^/]*$/!s!/[^/]*$!!' | cap 700000
)
blob cgroups "$(put "$o" | enc)"
set -- $(put "$o" | sed -n 's!^\([0-9]*\) .*!/proc/\1/stat!p')
if [ $# -gt 0 ]; then
  o=$(
    { run grep -h -m1 '' "$@" /dev/null; echo "x$?"; } |
      sed 's!^\([0-9]*\) (\(.*\)) [A-Z] \([^ ]* \)\{18\}\([0-9]*\) .*!\1 \4 \2!' | cap 300000
  )
  blob starts "$(put "$o" | enc)"
fi
d=/var/log/pods
if ! o=$(run ls -a "$d" 2>&1 >/dev/null); then why "$o"; rec "D$T$d$T$r"
else
  set +f; set -- "$d"/*; set -f
  dn=0
  for f do
    [ -e "$f" ] || continue
    [ $dn -lt 1000 ] || break
    dn=$((dn + 1)); nm "${f##*/}"; rec "N$T$r"
  done
  if [ $dn -lt 1000 ]; then rec "D$T$d${T}ok$T$dn"; else rec "D$T$d${T}more$T$dn"; fi
fi
