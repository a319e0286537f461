import Glibc
import LinuxKernel
import SystemPackage

/// The keys of an ssh host: what it shows (ssh-keyscan(1)), and what is trusted (the known_hosts file, sshd(8)).
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

    private let file: [UInt8]
    private let port: UInt16
    private let process = ProgramRun(stop: NoStopSignal())

    /// - Throws: `SyncFailure.system` when the directory of the file cannot be made.
    public init(_ destination: DestinationSettings, stateDirectory: [UInt8]) throws(SyncFailure) {
        let directory = stateDirectory + Array("/offsite".utf8)
        do throws(Errno) { try FileSystemLook.makeDirectory(directory) } catch {
            throw .system("making \(OctalEscapes.display(directory))", error)
        }
        file = Self.file(of: destination, stateDirectory: stateDirectory)
        port = destination.ssh.port
    }

    /// Only to look: no directory is made.
    public init(lookingAt destination: DestinationSettings, stateDirectory: [UInt8]) {
        file = Self.file(of: destination, stateDirectory: stateDirectory)
        port = destination.ssh.port
    }

    /// The known_hosts file of a destination.
    static func file(of destination: DestinationSettings, stateDirectory: [UInt8]) -> [UInt8] {
        destination.ssh.knownHosts ?? stateDirectory + Array("/offsite/known_hosts".utf8)
    }

    /// Whether a key of the host is trusted.
    public func isKnown(_ host: String) throws(SyncFailure) -> Bool {
        guard FileSystemLook.exists(file) else { return false }
        let name = port == 22 ? host : "[\(Self.bare(host))]:\(port)"
        return try run(["ssh-keygen", "-F", name, "-f"].map { Array($0.utf8) } + [file]).status == 0
    }

    /// What the host shows now. Nobody has vouched for it.
    public func offered(by host: String) throws(SyncFailure) -> [Key] {
        let result = try run(
            ["ssh-keyscan", "-T", "10", "-p", "\(port)", "--", Self.bare(host)].map { Array($0.utf8) })
        var keys: [Key] = []
        for line in result.output.split(separator: UInt8(ascii: "\n")) where line.first != UInt8(ascii: "#") {
            guard keys.count < 16, let key = try describe(Array(line)) else { continue }
            keys.append(key)
        }
        guard !keys.isEmpty else {
            throw .hostKey(
                "\(host) shows no key on port \(port): \(DestinationLink.display(result.errors)); is ssh on there?")
        }
        return keys
    }

    /// Notes keys as trusted.
    public func trust(_ keys: [Key]) throws(SyncFailure) {
        var lines: [UInt8] = []
        for key in keys { lines += key.line + [UInt8(ascii: "\n")] }
        do throws(Errno) {
            let opened = try OwnedDescriptor.open(file, flags: O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW, mode: 0o600)
            if let error = lines.withUnsafeBytes({ opened.write($0).error }) { throw error }
            try opened.synchronize()
        } catch {
            throw .system("writing \(OctalEscapes.display(file))", error)
        }
    }

    private func describe(_ line: [UInt8]) throws(SyncFailure) -> Key? {
        let arguments = ["ssh-keygen", "-l", "-f", "-"].map { Array($0.utf8) }
        let result: ProgramRun.Result
        do throws(Errno) { result = try process.run(arguments, input: line + [UInt8(ascii: "\n")]) } catch {
            throw .missingProgram("openssh-client", error)
        }
        // `256 SHA256:… host (ED25519)`
        let words = String(decoding: result.output, as: UTF8.self).split(whereSeparator: \.isWhitespace)
        guard result.status == 0, words.count >= 4, words[1].hasPrefix("SHA256:"),
            words[1].utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F })
        else { return nil }
        let type = words[words.count - 1].filter { $0.isLetter || $0.isNumber || $0 == "-" }
        return Key(type: type, fingerprint: String(words[1]), line: line)
    }

    private func run(_ arguments: [[UInt8]]) throws(SyncFailure) -> ProgramRun.Result {
        do throws(Errno) { return try process.run(arguments) } catch {
            throw .missingProgram("openssh-client", error)
        }
    }

    /// Without the brackets of an IPv6 address.
    private static func bare(_ host: String) -> String { String(host.filter { $0 != "[" && $0 != "]" }) }
}
