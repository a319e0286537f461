import Offsite

extension ConfigurationTable {
    /// Everything that a configuration file may hold; what is read, what `check-config` prints and what errors suggest
    /// follow from it.
    static let all: [ConfigurationTable] = [
        ConfigurationTable(
            "watch",
            [
                ConfigurationKey("roots", \.watch.roots, .rootPatterns),
                ConfigurationKey("exclude", \.watch.exclude, .excludePatterns),
                ConfigurationKey("one_file_system", \.watch.oneFileSystem, .flag),
                ConfigurationKey("poll_interval", \.watch.pollInterval, .duration),
                ConfigurationKey("ping_url", optional: \.watch.pingURL, .pingURL),
            ]),
        ConfigurationTable(
            "log",
            [
                ConfigurationKey("path", \.log.path, .file),
                ConfigurationKey("require_mount", optional: \.log.requireMount, .directory),
            ]),
        ConfigurationTable(
            "store",
            [
                ConfigurationKey("directory", \.store.directory, .directory),
                ConfigurationKey("keep", \.store.keep, .duration),
                ConfigurationKey("max_size", \.store.maxSize, .size),
                ConfigurationKey("max_size_hard", \.store.maxSizeHard, .size),
            ]),
        ConfigurationTable("destination", many: \.destinations, blank: .blank, DestinationSettings.keys),
        ConfigurationTable(
            "metrics",
            [
                ConfigurationKey("textfile_directory", optional: \.metrics.textfileDirectory, .directory),
                ConfigurationKey("pushgateway", optional: \.metrics.pushgateway, .baseURL),
                ConfigurationKey("job", \.metrics.job, .name),
            ]),
    ]
}

extension DestinationSettings {
    /// What a table begins as. Its name, source and target are none: the keys for them are required.
    fileprivate static var blank: DestinationSettings {
        DestinationSettings(name: "", source: [], target: .local(path: ""))
    }

    static let keys: [ConfigurationKey<DestinationSettings>] = [
        ConfigurationKey("name", \.name, .name).required,
        ConfigurationKey("source", \.source, .plainDirectory).required,
        ConfigurationKey("target", \.target, .target).required,
        ConfigurationKey(
            "ssh",
            table: [
                ConfigurationKey("port", \.ssh.port, .port),
                ConfigurationKey("identity", optional: \.ssh.identity, .file),
                ConfigurationKey("known_hosts", optional: \.ssh.knownHosts, .file),
                ConfigurationKey("jump", optional: \.ssh.jump, .hop),
            ]
        ).only(for: "target", flaw: #"only a target such as "user@host:/path" is reached by ssh; remove it"#) {
            if case .ssh = $0.target { true } else { false }
        },
        ConfigurationKey("password_file", optional: \.passwordFile, .file)
            .only(for: "target", flaw: #"only a target such as "rsync://host/module" takes a password; remove it"#) {
                if case .daemon = $0.target { true } else { false }
            },
        ConfigurationKey("settle", \.settle, .anyDuration),
        ConfigurationKey("max_delay", \.maxDelay, .anyDuration),
        ConfigurationKey("bandwidth", optional: \.bandwidth, .rate),
        ConfigurationKey("windows", \.windows, .windows),
        ConfigurationKey("min_free", optional: \.minFree, .shareOrSize),
        ConfigurationKey("max_delete", \.maxDelete, .shareOrNumber),
        ConfigurationKey("max_overwrite", \.maxOverwrite, .percentOrOff),
        ConfigurationKey("delete_window", \.deleteWindow, .duration),
        ConfigurationKey("group", optional: \.group, .name),
        ConfigurationKey("ownership", \.ownership, .word),
        ConfigurationKey("permissions", \.permissions, .word)
            .only(
                for: "ownership",
                flaw: #"with ownership = "fake-super" rsync sets modes on every file; remove one of the two"#
            ) { $0.permissions == .keep || $0.ownership != .fakeSuper },
        ConfigurationKey("acls", \.acls, .flag)
            .only(
                for: "permissions",
                flaw: #"ACLs hold the mode, so permissions = "drop" loses it; remove one of the two"#
            ) {
                !$0.acls || $0.permissions == .keep
            },
        ConfigurationKey("xattrs", \.xattrs, .flag),
        ConfigurationKey("compress", \.compress, .word),
        ConfigurationKey("include", \.include, .excludePatterns),
        ConfigurationKey("exclude", \.exclude, .excludePatterns),
        ConfigurationKey("check_interval", \.checkInterval, .duration),
        ConfigurationKey("max_age", \.maxAge, .duration),
        ConfigurationKey("verify_share", \.verifyShare, .percent),
        ConfigurationKey("ping_url", optional: \.pingURL, .pingURL),
        ConfigurationKey("on_success", optional: \.onSuccess, .shellCommand),
        ConfigurationKey("on_failure", optional: \.onFailure, .shellCommand),
    ]
}
