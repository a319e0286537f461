import SystemPackage

/// Pushes figures to a Prometheus Pushgateway, with curl.
///
/// With POST, not PUT: PUT replaces the whole group, POST only the metrics that are in the body, by name. So what is not
/// known at the moment, the last success above all, stays in the gateway as it was, and an alert for an old one still
/// fires. (`push_time_seconds` of the gateway tells how old the whole is.)
///
/// Labels in the body that are also in the path are overwritten by it; they are equal here, so the text is the same that
/// the textfile collector gets.
public struct MetricsPush: Sendable {
    /// Seconds, whole ones: curl reads fractions by the locale.
    struct Limits: Sendable {
        var connecting = 4
        var answering = 8
        /// For what curl's own limits do not cover, such as a resolver that hangs.
        var overall = 10
    }

    /// The base URL, without a slash at its end. It may hold a name and password: it is not in curl's arguments, which
    /// everybody can read, nor in a failure.
    private let gateway: String
    /// curl, found in `PATH`; it may have arguments of its own.
    var command = [Array("curl".utf8)]
    var limits = Limits()

    /// - Parameter gateway: an `http` or `https` URL, such as `http://monitor:9091`.
    public init(gateway: String) {
        var gateway = gateway[...]
        while gateway.hasSuffix("/") { gateway.removeLast() }
        self.gateway = String(gateway)
    }

    /// Pushes, and waits for the answer: 10 seconds at most, and as long as curl takes to end.
    ///
    /// - Returns: why not. Part of the figures is never taken.
    public func push(_ figures: SyncFigures, stop: any StopSignal = NoStopSignal()) -> MetricsFailure? {
        let run = ProgramRun(stop: Deadline(seconds: limits.overall, or: stop))
        var answer = CurlAnswer()
        let result: ProgramRun.Result
        do throws(Errno) {
            result = try run.run(
                command + arguments, input: configuration(figures), take: { answer.append(Array($0)) })
        } catch {
            return .curl(error)
        }
        if result.wasInterrupted { return stop.isRequested() ? .interrupted : .timedOut }
        return Self.failure(status: result.status, answer, errors: result.errors)
    }

    /// Starts a push that goes on in the background.
    ///
    /// - Throws: why curl could not be started.
    public func start(_ figures: SyncFigures) throws(MetricsFailure) -> BackgroundPush {
        do throws(Errno) {
            return try BackgroundPush(command + arguments, configuration(figures), seconds: limits.overall)
        } catch {
            throw .curl(error)
        }
    }

    /// Says what curl's end means.
    ///
    /// - Parameter status: its exit status; 128 and the number of the signal that ended it.
    static func failure(status: Int32, _ answer: CurlAnswer, errors: [UInt8]) -> MetricsFailure? {
        let message = Array((answer.message + errors).prefix(CurlAnswer.limit))
        switch status {
        case 0: break
        case 129...: return .killed(signal: status - 128)
        default: return .unreachable(status: status, message: message)
        }
        // Looked at here and not by --fail, which takes a redirection for a success and drops what the gateway says.
        let status = answer.status ?? 0
        return 200..<300 ~= status ? nil : .refused(status: status, answer: message)
    }

    private var arguments: [[UInt8]] {
        [
            // First, or ~/.curlrc is read.
            "-q", "--silent", "--show-error", "--globoff", "--proto", "=http,https",
            "--connect-timeout", String(limits.connecting), "--max-time", String(limits.answering),
            "--header", "Content-Type: text/plain; version=0.0.4",
            "--write-out", CurlAnswer.statusFormat, "--config", "-",
        ].map { Array($0.utf8) }
    }

    /// The URL and the body, for curl's standard input. Data makes it a POST; it starts with `#`, never with the `@`
    /// that would name a file.
    private func configuration(_ figures: SyncFigures) -> [UInt8] {
        let url = gateway + GroupingKey.path(job: figures.job, destination: figures.destination)
        return Array("url = ".utf8) + Self.quoted(Array(url.utf8)) + Array("\ndata-binary = ".utf8)
            + Self.quoted(figures.exposition) + Array("\n".utf8)
    }

    /// As a quoted string of curl(1)'s `--config`.
    private static func quoted(_ bytes: [UInt8]) -> [UInt8] {
        var text = [UInt8(ascii: "\"")]
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "\n"): text += Array("\\n".utf8)
            case UInt8(ascii: "\r"): text += Array("\\r".utf8)
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): text += [UInt8(ascii: "\\"), byte]
            default: text.append(byte)
            }
        }
        return text + [UInt8(ascii: "\"")]
    }
}
