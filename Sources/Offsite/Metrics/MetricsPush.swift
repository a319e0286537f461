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
    /// The base URL, without a slash at its end. It may hold a name and password: it is not in curl's arguments, which
    /// everybody can read, nor in a failure.
    private let gateway: String
    /// curl, found in `PATH`; it may have arguments of its own.
    var command = [Array("curl".utf8)]
    var limits = CurlRequest.Limits()

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
        let request = request(figures)
        var answer = CurlAnswer()
        let result: ProgramRun.Result
        do throws(Errno) {
            result = try run.run(
                command + request.arguments, input: request.configuration, take: { answer.append(Array($0)) })
        } catch {
            return .curl(error)
        }
        if result.wasInterrupted { return stop.isRequested() ? .interrupted : .timedOut }
        return CurlRequest.failure(status: result.status, answer, errors: result.errors)
    }

    /// Starts a push that goes on in the background.
    ///
    /// - Throws: why curl could not be started.
    public func start(_ figures: SyncFigures) throws(MetricsFailure) -> BackgroundPush {
        try BackgroundPush(request(figures), command: command)
    }

    /// Data makes it a POST.
    private func request(_ figures: SyncFigures) -> CurlRequest {
        CurlRequest(
            url: gateway + GroupingKey.path(job: figures.job, destination: figures.destination),
            body: figures.exposition, contentType: "text/plain; version=0.0.4", limits: limits)
    }
}
