#!/usr/bin/env bash
# Run a command beside a one-node SLURM on this machine, which is brought up for it and down again:
#   tests/slurm/with_slurm.sh make test-slurm       tests/slurm/with_slurm.sh bash
# Real slurmctld, slurmd and munged from Debian's packages, on loopback, without systemd, cgroups and accounting; two GPUs
# that are none; jobs of the partition `urgent` preempt those of `main`.
set -euo pipefail

skip() {
    echo "test-slurm is skipped: $1"
    exit 0
}
[ "$(id -u)" = 0 ] || skip "a SLURM can only be brought up by root"
command -v apt-get >/dev/null || skip "it takes SLURM from Debian's packages, and there is no apt-get here"
[ ! -e /etc/slurm/slurm.conf ] || skip "this machine has a SLURM already, in /etc/slurm/slurm.conf"
if ! command -v slurmctld slurmd munged sbatch >/dev/null; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null
fi

state=$(mktemp -d)
down() {
    for pid in "$state/slurmd.pid" "$state/slurmctld.pid" /run/munge/munged.pid; do
        if [ -s "$pid" ]; then
            kill "$(cat "$pid")" || true
            while [ -d "/proc/$(cat "$pid" 2>/dev/null || echo none)" ]; do sleep 0.1; done
        fi
    done
    rm -rf "$state" /etc/slurm/slurm.conf /etc/slurm/gres.conf
}
trap down EXIT
mkdir -p "$state/state" "$state/spool" /etc/slurm
memory=$(free --mebi | awk '/^Mem:/ {print $2}')
# It must be /etc/slurm: a job's inner srun does not see SLURM_CONF. Memory is watched by slurmd itself for want of cgroups.
cat >/etc/slurm/slurm.conf <<CONF
ClusterName=test
SlurmctldHost=localhost(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
SlurmctldPidFile=$state/slurmctld.pid
SlurmdPidFile=$state/slurmd.pid
StateSaveLocation=$state/state
SlurmdSpoolDir=$state/spool
SlurmctldLogFile=$state/slurmctld.log
SlurmdLogFile=$state/slurmd.log
ReturnToService=0
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SchedulerType=sched/backfill
SchedulerParameters=batch_sched_delay=0,sched_min_interval=100000
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
DefMemPerCPU=500
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
AccountingStorageType=accounting_storage/none
MinJobAge=86400
KillWait=5
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
GresTypes=gpu
NodeName=localhost NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=$memory Gres=gpu:2 State=UNKNOWN
PartitionName=main Nodes=localhost Default=YES PriorityTier=1 MaxTime=INFINITE State=UP
PartitionName=urgent Nodes=localhost PriorityTier=2 MaxTime=INFINITE State=UP
CONF
echo 'NodeName=localhost Name=gpu File=/dev/null,/dev/zero' >/etc/slurm/gres.conf # any two character devices
install -d -o munge -g munge -m 755 /run/munge
runuser -u munge -- /usr/sbin/munged
setsid slurmctld -D </dev/null >"$state/slurmctld.out" 2>&1 &
setsid slurmd -D -N localhost </dev/null >"$state/slurmd.out" 2>&1 &
for _ in $(seq 60); do
    if [ "$(sinfo --noheader --partition main --format %T 2>/dev/null)" = idle ]; then
        "$@"
        exit
    fi
    sleep 0.5
done
tail -n 20 "$state"/*.log
echo "SLURM did not come up: its logs are above" >&2
exit 1
