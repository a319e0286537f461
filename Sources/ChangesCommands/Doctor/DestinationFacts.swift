import LinuxKernel
import Offsite
import SystemPackage

/// One destination, as far as it can be looked at from here.
struct DestinationFacts: Sendable {
    /// The file with the private key.
    enum Identity: Equatable, Sendable {
        case file(mode: UInt16)
        /// It needs a passphrase.
        case encrypted
        case missing
        case unknown(Errno)
    }

    var settings: DestinationSettings
    /// /etc/machine-id of this host.
    var machine: String
    /// nil where none is configured.
    var identity: Identity?
    /// Whether the host's key is known; nil for targets without one.
    var isHostKnown: Bool?
    /// What the destination said; nil: it was not asked.
    var answer: DestinationProbe.Answer?
    /// A local target, and whether the marker is in it.
    var place: PlaceFacts?
    var hasMarker = false
    /// Why nothing is written to a local target: another user could lead it elsewhere.
    var danger: SyncFailure?
    /// The sandbox of the worker's unit; nil where that one is not loaded.
    var sandbox: UnitSandbox?

    /// Seconds that it is waited for.
    static let patience = 10

    private var check: String { "offsite" }
    private var name: String { settings.name }
    private var target: String { settings.target.text }
    private var isSSH: Bool { if case .ssh = settings.target { true } else { false } }
    var unit: String { "nfs-offsite-sync@\(name).service" }

    func findings(user: UserFacts) -> [Finding] {
        var found = keyFindings
        if let place {
            found += localFindings(place, user)
        } else if let answer {
            found += [finding(answer)].compactMap { $0 }
        } else if found.isEmpty {
            found.append(
                .note(
                    check, "\(name): whether \(target) answers was not tried by this user",
                    remedy: "to check as root: sudo changes doctor"))
        }
        if found.contains(where: { $0.state >= .note }) { return found }
        let what = place.map { ", " + $0.summary } ?? " answers"
        return [.ok(check, "\(name): \(target)\(what), and has its marker")] + found
    }
}

extension DestinationFacts {
    /// Nothing is asked of a destination whose answer is known: each refused login counts there.
    var isWorthAsking: Bool {
        if isHostKnown == false || identity == .missing || identity == .encrypted { return false }
        if case .file(let mode) = identity { return mode & 0o077 == 0 }
        return place == nil
    }

    private var keyFindings: [Finding] {
        var found: [Finding] = []
        if let identity, let path = settings.ssh.identity {
            let file = TerminalText.of(path)
            let word = ShellWord.of(path)
            switch identity {
            case .missing:
                found.append(
                    .problem(
                        check, "\(name): \(file), the private key, does not exist",
                        remedy: "ssh-keygen -t ed25519 -N '' -f \(word), and add \(word).pub to the account at "
                            + "\(target); or correct identity"))
            case .file(let mode) where mode & 0o077 != 0:
                found.append(
                    .problem(
                        check,
                        "\(name): \(file), the private key, can be used by others than its owner, and ssh refuses it",
                        remedy: "chmod 600 \(word)"))
            case .encrypted:
                found.append(
                    .problem(
                        check, "\(name): \(file), the private key, needs a passphrase, which nobody is there to type",
                        remedy: PrivateKeyFile.remedy(word)))
            case .unknown(let code):
                found.append(
                    .note(
                        check, "\(name): \(file), the private key, cannot be looked at (\(code))",
                        remedy: "to check as root: sudo changes doctor"))
            case .file: break
            }
        }
        if isHostKnown == false {
            found.append(
                .problem(
                    check, "\(name): the key of the host of \(target) is not known, and no other is accepted",
                    remedy: "changes sync init \(name)"))
        }
        return found
    }

    private func finding(_ answer: DestinationProbe.Answer) -> Finding? {
        switch answer {
        case .marker(nil):
            return .problem(
                check, "\(name): \(target) has no marker (.nfs-changes/marker): nothing is written there",
                remedy: "mount its volume there; a new destination: changes sync init \(name)")
        case .marker(let marker?):
            if marker.destination != name || marker.machine != machine {
                let whose =
                    marker.machine == machine
                    ? "the destination \"\(TerminalText.of(Array(marker.destination.prefix(100).utf8)))\""
                    : "another host"
                return .warning(
                    check, "\(name): \(target) has the marker of \(whose)",
                    remedy: "correct target; to take it over: changes sync init --adopt \(name)")
            }
            return nil
        case .silence:
            return .warning(
                check, "\(name): \(target) did not answer within \(Self.patience) s", remedy: tryIt)
        case .failure(.rsync(.busy, _, _, _)):
            // rrsync, and a daemon that admits one.
            return .note(
                check, "\(name): \(target) is at work for another connection, and was not asked",
                remedy: "run this again when no copy is under way")
        case .failure(.hostKey(let text)):
            return .problem(check, "\(name): \(TerminalText.of(Array(text.utf8)))", remedy: replaceKey)
        case .failure(let failure):
            let text = TerminalText.of(Array(failure.description.utf8))
            return .warning(check, "\(name): \(target) cannot be asked: \(text)", remedy: tryIt)
        }
    }

    private var replaceKey: String { "changes sync init --replace-host-key \(name)" }

    /// How to see by hand what is wrong.
    private var tryIt: String {
        switch settings.target {
        case .local(let path): return "ls -ld \(path)"
        case .daemon: return "rsync \(target)/"
        case .ssh(let user, let host, _):
            let key = settings.ssh.identity.map { " -i \(ShellWord.of($0))" } ?? ""
            let jump = settings.ssh.jump.map { " -J \($0.text)" } ?? ""
            // Brackets are rsync's: ssh takes an IPv6 address without.
            let bare = host.filter { !"[]".contains($0) }
            return "ssh -v -p \(settings.ssh.port)\(key)\(jump) \(user.map { $0 + "@" } ?? "")\(bare) true"
        }
    }

    private func localFindings(_ place: PlaceFacts, _ user: UserFacts) -> [Finding] {
        if let danger {
            let text = TerminalText.of(Array(danger.description.utf8))
            let path = ShellWord.of(place.path)
            let own = ShellWord.of(place.path + Array("/\(DestinationMarker.directory)".utf8))
            return [.problem(check, "\(name): \(text)", remedy: "look who made it: ls -ld \(path) \(own)")]
        }
        switch place.kind {
        case .directory: break
        case .missing, .other:
            return [
                .problem(
                    check, "\(name): \(place.name) is \(place.kind == .missing ? "missing" : "not a directory")",
                    remedy:
                        "mount its disk, or correct target; a new destination: mkdir -p \(ShellWord.of(place.path)) "
                        + "&& changes sync init \(name)")
            ]
        case .unknown(let code):
            return [
                .note(
                    check, "\(name): \(place.name) cannot be looked at (\(code))",
                    remedy: "to check as root: sudo changes doctor")
            ]
        }
        guard hasMarker else {
            if user.readsEverything { return [finding(.marker(nil))].compactMap { $0 } }
            return [
                .note(
                    check, "\(name): the marker in \(place.name) is not seen by this user",
                    remedy: "to check as root: sudo changes doctor")
            ]
        }
        let enough = place.space.map { settings.leastFree(of: $0.total) } ?? 0
        var found = [
            place.writeFinding(check, purpose: "the copy", user: user),
            place.spaceFinding(check, purpose: "the copy (min_free)", least: 1 << 20, enough: enough),
        ].compactMap { $0 }
        if let hiding = sandbox?.settingThatHides(place.path) {
            found.append(
                .problem(
                    check,
                    "\(name): \(place.name) is not seen in the sandbox of \(unit) (\(hiding.name)=\(hiding.value))",
                    remedy: UnitFacts.dropIn(hiding.name, hiding.name, Array(hiding.remedy.utf8), unit: unit)))
        } else if sandbox?.mayWrite(place.path) == false {
            found.append(
                .problem(
                    check, "\(name): \(place.name) is read-only in the sandbox of \(unit)",
                    remedy: UnitFacts.dropIn("target", "ReadWritePaths", UnitFacts.unitWord(place.path), unit: unit)))
        }
        return found
    }
}
