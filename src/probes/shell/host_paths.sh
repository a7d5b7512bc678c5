hs=// hc=0
set --
i=0; while [ $i -lt $mn ]; do i=$((i + 1)); eval "f=\$m$i"; [ ! -f "$f" ] || set -- "$@" "$f"; done
if [ $# -gt 0 ]; then
  q="[\"']\{0,1\}"
  o=$(run sed -n "/hostPath/,/path$q:/s/^.*path$q:[[:space:]]*$q\(\/[^\"',}]*\).*/\1/p" "$@" | cap 60000)
  IFS=$N
  for f in $o; do
    IFS=$D
    f=${f%% #*}; f=${f%"${f##*[! $T]}"}
    case $hs in *"//$f//"*) continue;; esac
    hs=$hs$f//
    hc=$((hc + 1))
    [ $hc -le 64 ] || continue
    at host_path "$f"
  done
  IFS=$D
fi
looks
