# Folders of CNI configuration: the usual ones, and those that the container runtime names.
set +f
set -- $runtimes
set -f
w=
for f do [ ! -f "$f" ] || w="$w $f"; done
o=
[ -z "$w" ] ||
  o=$(run sed -n -e 's!network_dir!conf_dir!' \
    -e 's!^[[:space:]]*conf_dir[[:space:]]*=[[:space:]]*["'\'']\(/[^"'\'']*\)["'\''].*!\1!p' $w)
IFS=$N
set -- /etc/cni/net.d $o
IFS=$D
# What a file of it is made of; tokens and addresses in it stay there.
plugin() {
  case $1 in
  *.conf|*.conflist|*.json)
    ! [ -f "$1" ] || output "$1" 4096 grep -ho '"type"[[:space:]]*:[[:space:]]*"[^"]*"' "$1"
    ;;
  esac
}
g= k=0
for f do
  while :; do case $f in ?*/) f=${f%/};; *) break;; esac; done
  case $g in *"//$f//"*) continue;; esac
  g=$g//$f//
  k=$((k + 1))
  [ $k -le 4 ] && [ -e "$f" ] || continue
  eval "h$k=\$f"
done
i=0
while [ $i -lt $k ] && [ $i -lt 4 ]; do
  i=$((i + 1)); eval "f=\${h$i-}"
  [ -n "$f" ] || continue
  nm "$f"; rec "I$T$r"
  walk "$f"
  [ ! -d "$f" ] || list "$f" plugin
done
looks
