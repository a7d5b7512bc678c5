# Only lines that speak of Kubernetes leave the node.
kx='kubern\|kubelet\|manifest\|static-pod\|rancher\|k0s\|k3s\|rke2\|microk8s\|systemd\|etcd'
if command -v auditctl >/dev/null; then
  o=$({ run auditctl -l 2>&1; echo "x$?"; } | grep -e "$kx" -e '^x[0-9]*$' -e 'No rules' -e ermitted | cap 65536 | enc)
  blob 'auditctl -l' "$o"
else lack 'auditctl -l' absent; fi
set +f; set -- /etc/audit/rules.d/*.rules /etc/audit/audit.rules; set -f
for f do [ ! -e "$f" ] || output "$f" 65536 grep -e "$kx" "$f"; done
for f in $tools; do case $f in pod:*) value runs_in_pod "${f#*:}";; *) value runs "$f";; esac; done
set +f
set -- /etc/aide/aide.conf /etc/aide.conf /etc/aide/aide.conf.d /var/lib/aide/aide.db /etc/tripwire/tw.cfg \
  /etc/samhainrc /etc/falco/falco.yaml /etc/osquery/osquery.conf /etc/tetragon /var/ossec/etc/ossec.conf \
  /etc/auditbeat/auditbeat.yml
set -f
for f do [ ! -e "$f" ] || value has "$f"; done
