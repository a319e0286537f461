import LinuxKernel

/// Everything that the checks judge, gathered before the first of them.
struct DoctorFacts: Sendable {
    var configuration: ConfigurationFacts
    var user: UserFacts
    var kernel: KernelFacts
    var roots: RootFacts
    var log: LogFacts
    var store: StoreFacts
    var selfMounts: SelfMountFacts
    var clock: ClockFacts
    var unit: UnitFacts
    var watchers: [OldWatcher]
    /// nil where no destination is configured.
    var offsite: OffsiteFacts?

    /// All findings, in the order in which one would mend them.
    var findings: [Finding] {
        configuration.findings
            + kernel.findings
            + roots.findings(user: user)
            + kernel.watchFindings
            + user.findings
            + log.findings(user: user, roots: roots)
            + store.findings(user: user)
            + selfMounts.findings
            + clock.findings
            + unit.findings
            + OldWatcher.findings(watchers)
            + (offsite?.findings(user: user) ?? [])
    }
}

/// The configuration file.
struct ConfigurationFacts: Sendable {
    var file: [UInt8]
    var exists = true
    /// What is wrong with it, a line each, with file and line where they are known.
    var problems: [String] = []

    var findings: [Finding] {
        let name = TerminalText.of(file)
        if problems.isEmpty {
            return [.ok("configuration", exists ? name : "\(name): no such file, so the defaults hold")]
        }
        let remedy = "correct it, then: changes check-config --config \(ShellWord.of(file))"
        return problems.dropLast().map { .problem("configuration", $0, remedy: remedy) } + [
            .problem("configuration", problems.last! + "; what follows is for the defaults", remedy: remedy)
        ]
    }
}

/// Who runs the command.
struct UserFacts: Sendable {
    var isRoot: Bool
    /// `CAP_DAC_READ_SEARCH` or `CAP_DAC_OVERRIDE`: permissions do not keep it from reading.
    var readsEverything: Bool
    /// The service is installed, and is not run by this user.
    var hasService = false

    var findings: [Finding] {
        if readsEverything { return [.ok("permissions", "this user can read everything")] }
        return [
            .note(
                "permissions",
                "this user can read only what permissions allow: directories of others may be left out of what is said "
                    + "here, and a tracker that it runs does not see changes in them",
                remedy: "sudo changes doctor")
        ]
    }
}

/// The wall clock.
struct ClockFacts: Sendable {
    var now: Timestamp
    /// nil where the kernel does not tell.
    var isSynchronized: Bool?

    /// 2025-01-01T00:00:00Z: no clock of a host that has this program is right before that.
    private static let earliest = Timestamp(seconds: 1_735_689_600, nanoseconds: 0)

    var findings: [Finding] {
        let remedy = "timedatectl set-ntp true (of the package systemd-timesyncd), or apt-get install chrony"
        if now < Self.earliest {
            return [.problem("clock", "the clock is before 2025: the times of changes would be wrong", remedy: remedy)]
        }
        switch isSynchronized {
        case true?: return [.ok("clock", "synchronised")]
        case false?:
            return [
                .warning("clock", "the clock is not synchronised: times of rows may step", remedy: remedy)
            ]
        case nil:
            return [.note("clock", "the kernel does not tell whether it is synchronised", remedy: "timedatectl")]
        }
    }
}
