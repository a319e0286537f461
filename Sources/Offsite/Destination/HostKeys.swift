import Glibc
import LinuxKernel
import SystemPackage

/// The keys of ssh hosts: what they show (ssh-keyscan(1)), and what is trusted (the known_hosts file, sshd(8)).
public struct HostKeys {
    /// One key.
    public struct Key: Equatable, Sendable {
        /// Such as `ED25519`.
        public let type: String
        /// `SHA256:` and base64, as ssh-keygen -l prints it.
        public let fingerprint: String
        /// The line of a known_hosts file.
        let line: [UInt8]
    }

    /// The known_hosts file.
    public let file: [UInt8]
    private var settings: DestinationSettings
    private let process = ProgramRun(stop: NoStopSignal())

    /// No directory is made before a key is trusted.
    public init(_ destination: DestinationSettings, stateDirectory: [UInt8]) {
        file = Self.file(of: destination, stateDirectory: stateDirectory)
        settings = destination
    }

    /// Those of a file of this process's own, which begins as a copy of the real one.
    public init(_ other: HostKeys, copiedTo path: [UInt8]) throws(SyncFailure) {
        file = path
        settings = other.settings
        settings.ssh.knownHosts = path
        let known = try? OwnedDescriptor.open(other.file, flags: O_RDONLY).readToEnd()
        do throws(Errno) { try replaceFile(path, with: known ?? [], permissions: 0o600) } catch {
            throw .system("writing \(OctalEscapes.display(path))", error)
        }
    }

    /// The known_hosts file of a destination.
    static func file(of destination: DestinationSettings, stateDirectory: [UInt8]) -> [UInt8] {
        destination.ssh.knownHosts ?? stateDirectory + Array("/offsite/known_hosts".utf8)
    }

    /// Whether a key of the host is trusted.
    public func isKnown(_ host: SSHHop) throws(SyncFailure) -> Bool {
        guard FileSystemLook.exists(file) else { return false }
        return try run(["ssh-keygen", "-F", host.knownName, "-f"].map { Array($0.utf8) } + [file]).status == 0
    }

    /// What the host shows now, the key to prefer first. Nobody has vouched for it.
    public func offered(by host: SSHHop) throws(SyncFailure) -> [Key] {
        let isBehindAnother = settings.ssh.jump != nil && host != settings.ssh.jump
        let result =
            try isBehindAnother
            ? throughJump(to: host)
            : run(["ssh-keyscan", "-T", "10", "-p", "\(host.port)", "--", host.bareHost].map { Array($0.utf8) })
        var keys: [Key] = []
        for line in result.output.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
            guard keys.count < 16, let key = try describe(Array(line)) else { continue }
            keys.append(key)
        }
        guard !keys.isEmpty else {
            throw .hostKey(
                "\(host.host) shows no key on port \(host.port): \(DestinationLink.display(result.errors)); is ssh on "
                    + "there\(isBehindAnother ? ", and may the key log in at \(settings.ssh.jump?.text ?? "")" : "")?")
        }
        let best = keys.filter { $0.type == "ED25519" }
        return best + keys.filter { $0.type != "ED25519" }
    }

    /// What ssh itself notes of a host that it sees for the first time, in a file of its own.
    private func throughJump(to host: SSHHop) throws(SyncFailure) -> ProgramRun.Result {
        let place: [UInt8]
        do throws(Errno) {
            place = try FileSystemLook.makeTemporaryDirectory(prefix: Array("nfs-changes-keys".utf8))
        } catch {
            throw .system("making a temporary directory", error)
        }
        defer { try? FileSystemLook.removeTree(place) }
        let noted = place + Array("/known_hosts".utf8)
        let ssh = SSHCommand(settings: settings.ssh, knownHosts: file, socketDirectory: nil)
        var result = try run(ssh.asking(host, notingIn: noted))
        result.output = (try? OwnedDescriptor.open(noted, flags: O_RDONLY).read(atMost: 65_536)) ?? []
        return result
    }

    /// Notes keys as trusted.
    ///
    /// - Parameter host: whose other keys are trusted no longer; nil: all others stay.
    public func trust(_ keys: [Key], replacingThoseOf host: SSHHop? = nil) throws(SyncFailure) {
        if let host, try isKnown(host) {
            let result = try run(["ssh-keygen", "-R", host.knownName, "-f"].map { Array($0.utf8) } + [file])
            guard result.status == 0 else {
                throw .hostKey(
                    "the old key cannot be removed from \(OctalEscapes.display(file)): "
                        + DestinationLink.display(result.errors))
            }
        }
        var lines: [UInt8] = []
        for key in keys { lines += key.line + [UInt8(ascii: "\n")] }
        do throws(Errno) {
            let parent = file[..<(file.lastIndex(of: UInt8(ascii: "/")) ?? 0)]
            try FileSystemLook.makeDirectories(Array(parent), mode: 0o750)
            let opened = try OwnedDescriptor.open(file, flags: O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600)
            if let error = lines.withUnsafeBytes({ opened.write($0).error }) { throw error }
            try opened.synchronize()
        } catch {
            throw .system("writing \(OctalEscapes.display(file))", error)
        }
    }

    private func describe(_ line: [UInt8]) throws(SyncFailure) -> Key? {
        let result = try run(
            ["ssh-keygen", "-l", "-f", "-"].map { Array($0.utf8) }, input: line + [UInt8(ascii: "\n")])
        // `256 SHA256:… host (ED25519)`
        let words = String(decoding: result.output, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard result.status == 0, words.count >= 4, words[1].hasPrefix("SHA256:"),
            words[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        let type = words[words.count - 1].filter { $0.isLetter || $0.isNumber || $0 == "-" }
        return Key(type: type, fingerprint: String(words[1]), line: line)
    }

    private func run(_ arguments: [[UInt8]], input: [UInt8]? = nil) throws(SyncFailure) -> ProgramRun.Result {
        do throws(Errno) { return try process.run(arguments, input: input) } catch {
            throw .missingProgram("openssh-client", error)
        }
    }
}
