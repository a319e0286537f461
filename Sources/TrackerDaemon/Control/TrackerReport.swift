public import LinuxKernel

/// How the tracker is, in all detail: the answer to `status`.
///
/// As text it is lines of a word and a value; paths have octal escapes. Whoever reads it passes over words that it does
/// not know, so that the commands of one version understand the tracker of another.
public struct TrackerReport: Equatable, Sendable {
    public enum Phase: Equatable, Sendable {
        case watching
        /// The walk of the start, or after a reload: directories done.
        case comparing(directories: Int)
        /// The store cannot be written.
        case notRecording
    }

    public struct Root: Equatable, Sendable {
        public enum State: String, Sendable {
            case watched, held, missing
        }
        public var path: [UInt8]
        public var state: State
        /// Directories in it, itself included.
        public var directories: Int

        public init(path: [UInt8], state: State, directories: Int) {
            self.path = path
            self.state = state
            self.directories = directories
        }
    }

    public struct Log: Equatable, Sendable {
        public var path: [UInt8] = []
        /// Every row up to this one is in the log and on its disk.
        public var position: Int64 = 0
        /// Lines that are to be appended when the log can be written.
        public var owed: Int64 = 0

        public init() {}
    }

    public var version = ""
    public var process: Int32 = 0
    public var startedAt = Timestamp(nanoseconds: 0)
    public var stateDirectory: [UInt8] = []
    public var phase = Phase.watching
    /// What `systemctl status` shows.
    public var sentence = ""
    /// What weakens the promise, each with its remedy.
    public var degraded: [String] = []
    public var roots: [Root] = []
    /// Roots that are not in `roots` for lack of room.
    public var furtherRoots = 0
    public var directories = 0
    public var watches = 0
    /// Watches that the tracker's user may have; nil where the kernel does not tell.
    public var watchLimit: Int?
    /// Directories without a watch.
    public var polled = 0
    /// Times that the kernel's queue overflowed since the start.
    public var overflows: Int64 = 0
    /// Changes in each minute of the last hour, the current one last.
    public var minutes: [Int64] = []
    public var log = Log()

    public init() {}

    public var isHealthy: Bool { degraded.isEmpty && phase != .notRecording }
}

extension TrackerReport {
    /// Room for the roots and for the reasons: with the rest they fit a packet.
    private static let rootBytes = 40_000
    private static let reasonBytes = 16_000

    /// The report as text, at most as long as a reply may be.
    var text: String {
        var lines = [
            "version \(version)", "process \(process)", "started \(startedAt.nanoseconds)",
            "state-directory \(Self.escaped(stateDirectory))", "phase \(phaseText)",
            "sentence \(Self.limited(sentence, to: 4_000))", "directories \(directories)", "watches \(watches)",
            "polled \(polled)", "overflows \(overflows)", "minutes \(minutes.map(String.init).joined(separator: " "))",
            "log-position \(log.position)", "log-owed \(log.owed)", "log-path \(Self.escaped(log.path))",
        ]
        if let watchLimit { lines.append("watch-limit \(watchLimit)") }
        var room = Self.reasonBytes
        for (index, reason) in degraded.enumerated() {
            let line = "degraded \(Self.limited(reason, to: 4_000))"
            room -= line.utf8.count
            guard room > 0 else {
                lines.append("degraded and \(degraded.count - index) more: see the journal")
                break
            }
            lines.append(line)
        }
        room = Self.rootBytes
        for (index, root) in roots.enumerated() {
            let line = "root \(root.state.rawValue) \(root.directories) \(Self.escaped(root.path))"
            room -= line.utf8.count
            guard room > 0 else {
                lines.append("further-roots \(furtherRoots + roots.count - index)")
                return lines.joined(separator: "\n")
            }
            lines.append(line)
        }
        lines.append("further-roots \(furtherRoots)")
        return lines.joined(separator: "\n")
    }

    private var phaseText: String {
        switch phase {
        case .watching: "watching"
        case .comparing(let directories): "comparing \(directories)"
        case .notRecording: "not-recording"
        }
    }

    /// One line, whatever is in it.
    private static func limited(_ text: String, to limit: Int) -> String {
        let line = text.split(separator: "\n").joined(separator: " ")
        if line.utf8.count <= limit { return line }
        return String(decoding: line.utf8.prefix(limit), as: UTF8.self) + "…"
    }

    private static func escaped(_ path: [UInt8]) -> String {
        // Bytes beyond ASCII are escaped too: a reply is text.
        path.reduce(into: "") { text, byte in
            if byte < 0x80, !OctalEscapes.needsEscape(byte) {
                text.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                var bytes: [UInt8] = []
                OctalEscapes.append(byte, to: &bytes)
                text += String(decoding: bytes, as: UTF8.self)
            }
        }
    }

    /// Reads what `text` wrote; nil when what every report has is missing.
    public init?(parsing text: String) {
        self.init()
        var seen: Set<Substring> = []
        for line in text.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1, omittingEmptySubsequences: false)
            guard parts.count == 2 else { continue }
            if take(parts[0], parts[1]) { seen.insert(parts[0]) }
        }
        guard seen.isSuperset(of: ["version", "started", "phase", "sentence"]) else { return nil }
    }

    /// - Returns: false when the value is none for that word.
    private mutating func take(_ word: Substring, _ value: Substring) -> Bool {
        switch word {
        case "version": version = String(value)
        case "process": process = Int32(value) ?? 0
        case "started":
            guard let nanoseconds = Int64(value) else { return false }
            startedAt = Timestamp(nanoseconds: nanoseconds)
        case "state-directory": stateDirectory = Self.path(value)
        case "phase": return takePhase(value)
        case "sentence": sentence = String(value)
        case "degraded": degraded.append(String(value))
        case "directories": directories = Int(value) ?? 0
        case "watches": watches = Int(value) ?? 0
        case "watch-limit": watchLimit = Int(value)
        case "polled": polled = Int(value) ?? 0
        case "overflows": overflows = Int64(value) ?? 0
        case "minutes": minutes = value.split(separator: " ").map { Int64($0) ?? 0 }
        case "log-path": log.path = Self.path(value)
        case "log-position": log.position = Int64(value) ?? 0
        case "log-owed": log.owed = Int64(value) ?? 0
        case "further-roots": furtherRoots = Int(value) ?? 0
        case "root":
            let parts = value.split(separator: " ", maxSplits: 2)
            guard parts.count == 3, let state = Root.State(rawValue: String(parts[0])) else { return false }
            roots.append(Root(path: Self.path(parts[2]), state: state, directories: Int(parts[1]) ?? 0))
        default: return false
        }
        return true
    }

    private mutating func takePhase(_ value: Substring) -> Bool {
        let parts = value.split(separator: " ")
        switch parts.first {
        case "watching": phase = .watching
        case "comparing": phase = .comparing(directories: parts.count > 1 ? Int(parts[1]) ?? 0 : 0)
        case "not-recording": phase = .notRecording
        default: return false
        }
        return true
    }

    private static func path(_ text: Substring) -> [UInt8] {
        let bytes = Array(text.utf8)
        return OctalEscapes.unescape(bytes[...]) ?? bytes
    }
}
