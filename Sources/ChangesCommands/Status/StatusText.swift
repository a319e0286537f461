import ChangeStore
import LinuxKernel
import TrackerDaemon

/// The status as a screen for people.
struct StatusText {
    let status: Status
    let screen: Screen
    let zone: Zone
    private var output: [UInt8] = []
    static let labelWidth = 11

    init(_ status: Status, screen: Screen, zone: Zone) {
        self.status = status
        self.screen = screen
        self.zone = zone
    }

    static func write(_ status: Status, screen: Screen, zone: Zone) -> [UInt8] {
        var text = StatusText(status, screen: screen, zone: zone)
        text.writeTracker()
        text.writeStore()
        text.writeConsumers()
        text.writeDestinations()
        return text.output
    }

    // MARK: Parts

    private mutating func writeTracker() {
        switch status.tracker {
        case .notRunning:
            line("tracker", Style.bad.of("not running", on: screen) + " on \(TerminalText.of(status.stateDirectory))")
            line("", "start it: systemctl start nfs-change-tracker")
            write(reasons: status.trackerReasons)
            line("", "what follows is what the store holds")
        case .unknown(let reason):
            line("tracker", Style.bad.of("cannot be asked", on: screen) + ": \(reason)")
            write(reasons: status.trackerReasons)
        case .running(let report):
            let health =
                status.trackerReasons.isEmpty
                ? Style.good.of("healthy", on: screen) : Style.bad.of("DEGRADED", on: screen)
            let age = DurationText.rough(status.now.nanoseconds - report.startedAt.nanoseconds)
            line(
                "tracker",
                "\(health), running since \(time(report.startedAt)) (\(age)), process \(report.process), version \(report.version)"
            )
            write(reasons: status.trackerReasons)
            if case .comparing(let directories) = report.phase {
                line("", "comparing with the index: \(directories) directories done; changes are recorded already")
            }
            writeRoots(report)
            writeHour(report)
            writeLog(report)
        }
    }

    mutating func write(reasons: [String], indent: String = "") {
        for reason in reasons {
            line("", indent + Style.caution.of("! ", on: screen) + TerminalText.of(Array(reason.utf8)))
        }
    }

    /// `DEGRADED, ` where something is wrong.
    func health(of consumer: ConsumerLag) -> String {
        consumer.reasons(now: status.now).isEmpty ? "" : Style.bad.of("DEGRADED", on: screen) + ", "
    }

    private mutating func writeRoots(_ report: TrackerReport) {
        let limit = report.watchLimit.map { " of \($0) (fs.inotify.max_user_watches)" } ?? ""
        let polled = report.polled > 0 ? ", \(report.polled) directories without one are polled" : ""
        line("watches", "\(report.watches)\(limit)\(polled)")
        let width = report.roots.map { "\($0.directories)".utf8.count }.max() ?? 1
        var label = "roots"
        for root in report.roots {
            let number = String(repeating: " ", count: width - "\(root.directories)".utf8.count) + "\(root.directories)"
            let state = root.state == .watched ? "" : "  " + Style.bad.of(root.state.rawValue.uppercased(), on: screen)
            line(
                label,
                "\(number) \(root.directories == 1 ? "directory  " : "directories") \(TerminalText.of(root.path))\(state)"
            )
            label = ""
        }
        if report.roots.isEmpty { line("roots", "none yet") }
        if report.furtherRoots > 0 { line("", "and \(report.furtherRoots) more") }
    }

    private mutating func writeHour(_ report: TrackerReport) {
        let total = report.minutes.reduce(0, +)
        let most = report.minutes.max() ?? 0
        let line = screen.isTerminal && screen.hasUnicode ? Sparkline.of(report.minutes) + "  " : ""
        self.line("last hour", "\(line)\(total) \(total == 1 ? "change" : "changes"), at most \(most) in a minute")
    }

    private mutating func writeLog(_ report: TrackerReport) {
        let path = TerminalText.of(report.log.path)
        let owed = report.log.owed
        let state =
            owed == 0
            ? "nothing owed" : Style.bad.of("\(owed) \(owed == 1 ? "line" : "lines") owed", on: screen)
        line("log", "\(path), \(state), on its disk up to seq:\(report.log.position)")
    }

    private mutating func writeStore() {
        guard case .success(let store) = status.store else {
            if case .failure(let failure) = status.store, failure.status == .permission {
                line("store", "not for this user to read")
            }
            return
        }
        let since = store.oldest.map { "history since \(time($0))" } ?? "no history yet"
        line(
            "store",
            "\(TerminalText.of(status.stateDirectory)), \(ByteSizeText.approximate(store.bytes)), \(since)"
                + " (\(ByteSizeText.approximate(store.historyBytes))), last change seq:\(store.lastSequence)")
        line("", "UUID \(store.uuid)")
    }

    private mutating func writeConsumers() {
        var label = "consumers"
        for consumer in status.consumers where consumer.destination == nil {
            line(
                label,
                Style.strong.of(consumer.name, on: screen) + ": " + health(of: consumer)
                    + standing(of: consumer))
            label = ""
            writeRuns(consumer)
        }
    }

    mutating func writeRuns(_ consumer: ConsumerLag) {
        let success = consumer.lastSuccess.map { "last success \(time($0))" } ?? "no success yet"
        let failure = consumer.lastFailure.map { ", last failure \(time($0.at))" } ?? ""
        line("", "  \(success)\(failure)")
        write(reasons: consumer.reasons(now: status.now), indent: "  ")
    }

    /// The same, beside its health: one that is not well is not up to date, though it has seen every change.
    func standing(of consumer: ConsumerLag) -> String {
        if consumer.standing == .behind(changes: 0), !consumer.reasons(now: status.now).isEmpty {
            return "no change is pending"
        }
        return Self.standing(of: consumer, now: status.now)
    }

    /// Where a consumer stands, in words.
    static func standing(of consumer: ConsumerLag, now: Timestamp) -> String {
        switch consumer.standing {
        case .behind(0): return "up to date"
        case .behind(let changes):
            let more = consumer.isMore ? "more than " : ""
            let age =
                consumer.oldest.map { ", the oldest \(DurationText.rough(now.nanoseconds - $0.nanoseconds)) ago" } ?? ""
            return "behind by \(more)\(consumer.paths) \(consumer.paths == 1 ? "path" : "paths")"
                + " (\(ByteSizeText.approximate(consumer.bytes)), \(changes) \(changes == 1 ? "change" : "changes"))\(age)"
        case .full(.first): return "has never finished: a full scan follows"
        case .full(.storeReplaced): return "knows another store: a full scan follows"
        case .full(.historyRemoved): return "history that it had not seen was removed: a full scan follows"
        case .full(.historyLost): return "a power loss took back history that it had seen: a full scan follows"
        case .full(.requested): return "a full scan was requested"
        case .fullPass(let path): return "full scan under way, done up to \(TerminalText.of(path))"
        case .unreadable(let reason): return "cannot be read: \(reason)"
        }
    }

    func time(_ moment: Timestamp) -> String {
        var bytes: [UInt8] = []
        TimestampText.appendLocal(moment, zone: zone, to: &bytes, precision: .seconds)
        return String(decoding: bytes, as: UTF8.self)
    }

    mutating func line(_ label: String, _ text: String) {
        let padding = String(repeating: " ", count: Self.labelWidth - label.utf8.count)
        output.append(contentsOf: (Style.faint.of(label + padding, on: screen) + text + "\n").utf8)
    }
}

/// Numbers as a line of bars, each a character: ▁▂▃▄▅▆▇█; a space for zero.
enum Sparkline {
    static func of(_ numbers: [Int64]) -> String {
        let bars = Array("▁▂▃▄▅▆▇█")
        guard let most = numbers.max(), most > 0 else { return String(repeating: " ", count: numbers.count) }
        return String(
            numbers.map { number in
                number <= 0 ? " " : bars[min(7, Int(Double(number) / Double(most) * 7.999))]
            })
    }
}
