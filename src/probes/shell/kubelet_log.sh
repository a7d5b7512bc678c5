# What the kubelet says of static pods, of the last day. A login that may not read the journal sees its own lines
# only, without being told: the files of the journal tell.
set --
for uu in $us; do set -- "$@" -u "$uu.service"; done
jf=absent
set +f; for f in /var/log/journal/*/system.journal /run/log/journal/*/system.journal; do
  [ ! -e "$f" ] || { [ "$jf" = ok ] || jf=denied; [ ! -r "$f" ] || jf=ok; }
done; set -f
[ $jf != absent ] || for f in /var/log/journal /run/log/journal; do [ ! -d "$f" ] || [ -r "$f" ] || jf=denied; done
if ! command -v journalctl >/dev/null; then rec "Y${T}journal${T}absent"
elif [ $jf != ok ]; then rec "Y${T}journal$T$jf"
else
  blob journal "$(
    { run journalctl -q --no-pager -o short-unix --since -24h "$@"; echo "x$?"; } |
      grep -e 'Failed creating a mirror pod' -e 'Could not process manifest' -e 'Unable to process watch event' \
        -e 'duplicate pod name' -e 'static pods may not reference' -e 'Pod admission denied' \
        -e 'Static pod has priority' -e 'static pod path' -e '^x[0-9]*$' | tail -n 201 | tail -c 65000 | enc
  )"
fi
