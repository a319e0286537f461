/// The configuration file that `check-config --print-default` prints: every key, commented out, with its default.
///
/// Lines of text start with `# `, keys with `#` alone.
enum DefaultConfigurationText {
    static let toml = #"""
        # Settings of nfs-changes. Each key is shown with its default; remove the # before one to change it.
        # To check what this file says: changes check-config
        # To let the tracker read it again: systemctl reload nfs-change-tracker

        [watch]
        # The directories to track, as absolute shell patterns; symlinks are not followed.
        #roots = ["/srv/nfs/*-backup"]
        # What not to track, in the syntax of .gitignore; .nfs* are files that were removed while open.
        #exclude = [".nfs*"]
        # Whether mount points below a root are left alone.
        #one_file_system = false
        # How often directories are read that got no watch.
        #poll_interval = "60s"
        # The dead man's switch that changes status --check tracker --ping calls. Not set by default.
        #ping_url = "https://hc-ping.com/UUID"

        [log]
        # The file that every changed path is appended to; its directory must exist.
        #path = "/mnt/backup/.nfs-changes.log"
        # A directory that must be a mount point for the log to be written. Not set by default.
        #require_mount = "/mnt/backup"

        [store]
        # The state directory; a restart is needed for [store].
        #directory = "/var/lib/nfs-changes"
        # How long history is kept.
        #keep = "90d"
        # Bytes of history after which the oldest is dropped earlier, once every consumer has read it.
        #max_size = "1GiB"
        # Bytes of history after which the oldest is dropped in any case.
        #max_size_hard = "4GiB"

        [metrics]
        # The directory of node_exporter's textfile collector. Not set by default.
        #textfile_directory = "/var/lib/prometheus/node-exporter"
        # The base URL of a Pushgateway. Not set by default.
        #pushgateway = "http://monitor:9091"
        # The label "job" of the workers' figures.
        #job = "nfs-offsite-sync"

        # A copy elsewhere; repeat [[destination]] and its keys for each. None by default.
        #[[destination]]
        # What status and metrics call it. Required.
        #name = "synology"
        # The directory whose roots are copied. Required.
        #source = "/srv/nfs"
        # Where to: user@host:/path (ssh), rsync://host/module/path or /path. Required.
        #target = "backup@nas:/volume1/backup/nfs"
        # How ssh is called; the port is the default, the rest is not. Not set by default.
        #ssh = { port = 22, identity = "/root/.ssh/nas", known_hosts = "/root/.ssh/hosts", jump = "user@gateway" }
        # The file with the password, only for rsync:// targets. Not set by default.
        #password_file = "/etc/nfs-changes/nas.password"
        # How long a changed file must be left alone before it is copied.
        #settle = "30s"
        # The longest that such a file waits.
        #max_delay = "15m"
        # Bytes a second at most. Not set by default: as fast as it goes.
        #bandwidth = "20MB/s"
        # When transfers may run, in local time, such as ["22:00-07:00"]; empty: always.
        #windows = []
        # What must stay free there. Not set by default: the smaller of 5 % and 20 GiB.
        #min_free = "20GiB"
        # Deletions of more than this are held until --allow-deletes.
        #max_delete = "30%"
        # Overwrites of more than this are held until --allow-overwrites; "off": never.
        #max_overwrite = "33%"
        # How far back deletions and overwrites are counted together.
        #delete_window = "1d"
        # Destinations of one group take turns: for several on one NAS. Not set by default.
        #group = "nas"
        # "drop": files belong to the receiving user; "keep": owners are kept; "fake-super": in attributes.
        #ownership = "drop"
        # "keep": modes are copied; "drop": what is new gets what the receiver gives.
        #permissions = "keep"
        # Whether POSIX ACLs are copied.
        #acls = false
        # Whether extended attributes are copied.
        #xattrs = false
        # Whether content travels compressed: "auto", "on" or "off".
        #compress = "auto"
        # What is copied although exclude has it, in the syntax of .gitignore, relative to source.
        #include = []
        # What is not copied.
        #exclude = []
        # How often an idle worker asks the destination whether all is well.
        #check_interval = "1h"
        # The copy is degraded when its last success is older.
        #max_age = "1d2h"
        # Which part of all files is compared by content in a day.
        #verify_share = "1%"
        # The dead man's switch that is told how runs begin and end. Not set by default.
        #ping_url = "https://hc-ping.com/UUID"
        # A command for /bin/sh -c after a run that went well. Not set by default.
        #on_success = "/usr/local/sbin/copied"
        # A command for /bin/sh -c after a run that failed. Not set by default.
        #on_failure = "/usr/local/sbin/not-copied"

        """#
}
