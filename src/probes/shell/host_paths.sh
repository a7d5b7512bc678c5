hs=// hc=0
v="[\"']\{0,1\}"
o=$(texts sed -n "/hostPath/,/path$v:/s/^.*path$v:[[:space:]]*$v\(\/[^\"',}]*\).*/\1/p" | cap 60000)
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
looks
