import Glibc
import LinuxKernel
import SystemPackage
import Testing

@testable import Offsite

/// Against the real gateway, and against what is none.
@Suite(.enabled(if: PushGateway.isInstalled)) struct MetricsPushTests {
    private func seconds(_ body: () -> Void) -> Double {
        let start = MonotonicTime.now
        body()
        return Double(MonotonicTime.now - start) / 1e9
    }

    @Test(.timeLimit(.minutes(1))) func theGatewayHasWhatWasPushed() throws {
        let gateway = try PushGateway()
        #expect(MetricsPush(gateway: gateway.url + "/").push(.complete) == nil)
        #expect(
            try gateway.samples("backup_", "offsite_").map {
                $0.replacing(",instance=\"\",job=\"nfs-offsite-sync\"", with: "")
            }
                == [
                    "backup_duration_seconds{destination=\"synology\"} 12.005",
                    "backup_last_success_timestamp{destination=\"synology\"} 1.79e+09",
                    "offsite_dest_available_bytes{destination=\"synology\"} 1000",
                    "offsite_dest_min_free_bytes{destination=\"synology\"} 100",
                    "offsite_dest_size_bytes{destination=\"synology\"} 2000",
                    "offsite_drift_paths{destination=\"synology\"} 1",
                    "offsite_first_copy{destination=\"synology\"} 2",
                    "offsite_held_deletions{destination=\"synology\"} 7",
                    "offsite_held_overwrites{destination=\"synology\"} 2",
                    "offsite_metrics_push_failed{destination=\"synology\"} 1",
                    "offsite_oldest_pending_seconds{destination=\"synology\"} 90",
                    "offsite_orphan_paths{destination=\"synology\"} 12",
                    "offsite_pending_bytes{destination=\"synology\"} 9.007199254740992e+15",
                    "offsite_pending_paths{destination=\"synology\"} 3",
                    "offsite_quarantined_paths{destination=\"synology\"} 0",
                    "offsite_sync_last_status{destination=\"synology\"} 0",
                    "offsite_worker_heartbeat_timestamp{destination=\"synology\"} 1.790000007e+09",
                    "offsite_worker_once{destination=\"synology\"} 0",
                ])
    }

    /// A worker that has lost its state and fails: the gateway still knows the last success, and other destinations'.
    @Test(.timeLimit(.minutes(1))) func aFailureKeepsTheLastSuccess() throws {
        let gateway = try PushGateway()
        let push = MetricsPush(gateway: gateway.url)
        var other = SyncFigures(job: "j", destination: "other")
        other.recordSuccess(at: Timestamp(seconds: 5, nanoseconds: 0), took: .seconds(1))
        var good = SyncFigures(job: "j", destination: "d")
        good.recordSuccess(at: Timestamp(seconds: 100, nanoseconds: 0), took: .seconds(1))
        var bad = SyncFigures(job: "j", destination: "d")
        bad.recordFailure(took: .seconds(2))
        for figures in [other, good, bad] { #expect(push.push(figures) == nil) }
        #expect(
            try gateway.samples("backup_", "offsite_") == [
                "backup_duration_seconds{destination=\"d\",instance=\"\",job=\"j\"} 2",
                "backup_duration_seconds{destination=\"other\",instance=\"\",job=\"j\"} 1",
                "backup_last_success_timestamp{destination=\"d\",instance=\"\",job=\"j\"} 100",
                "backup_last_success_timestamp{destination=\"other\",instance=\"\",job=\"j\"} 5",
                "offsite_sync_last_status{destination=\"d\",instance=\"\",job=\"j\"} 1",
                "offsite_sync_last_status{destination=\"other\",instance=\"\",job=\"j\"} 0",
            ])
    }

    /// What the CronJobs of a site push: the same names, untyped, in groups of their own.
    @Test(.timeLimit(.minutes(1)), arguments: [true, false])
    func `untyped metrics of the same names are pushed beside these, first and last`(_ isFirst: Bool) throws {
        let gateway = try PushGateway()
        func pushOthers() throws -> String {
            let answer = try gateway.curl(
                "--write-out", "%{http_code}", "--data-binary",
                "backup_duration_seconds 12\nbackup_last_success_timestamp 1790000000\n",
                gateway.url + "/metrics/job/backup/app/roundcube")
            return String(decoding: answer, as: UTF8.self)
        }
        if isFirst { #expect(try pushOthers() == "200") }
        for _ in 0..<2 { #expect(MetricsPush(gateway: gateway.url).push(.complete) == nil) }
        for _ in 0..<2 { #expect(try pushOthers() == "200") }
        #expect(MetricsPush(gateway: gateway.url).push(.complete) == nil)
        let text = String(decoding: try gateway.curl("\(gateway.url)/metrics"), as: UTF8.self)
        for labels in [
            #"app="roundcube",instance="",job="backup""#, #"destination="synology",instance="",job="nfs-offsite-sync""#,
        ] {
            #expect(text.contains("backup_last_success_timestamp{\(labels)} 1.79e+09"), "\(text)")
        }
        #expect(text.contains("# TYPE backup_last_success_timestamp untyped"), "\(text)")
        #expect(text.contains("# TYPE offsite_pending_paths gauge"), "\(text)")
    }

    /// What became of a push in the background.
    private func outcome(of push: BackgroundPush) throws -> MetricsFailure? {
        let end = MonotonicTime.now.advanced(milliseconds: 20_000)
        while MonotonicTime.now < end {
            if case .ended(let failure) = push.poll() { return failure }
            usleep(10_000)
        }
        Issue.record("no end")
        return nil
    }

    @Test(.timeLimit(.minutes(1))) func `a push in the background says what became of it`() throws {
        let gateway = try PushGateway()
        #expect(try outcome(of: MetricsPush(gateway: gateway.url).start(.complete)) == nil)
        #expect(try gateway.samples("offsite_drift_paths").count == 1)
        let wrong = try outcome(of: MetricsPush(gateway: gateway.url + "/elsewhere").start(.complete))
        guard case .refused(404, _)? = wrong else {
            Issue.record("\(String(describing: wrong))")
            return
        }
        let dead = try DeadPort(listens: true)
        var push = MetricsPush(gateway: dead.url)
        push.limits.overall = 1
        var running: BackgroundPush?
        let took = seconds { running = try? push.start(.complete) }
        #expect(took < 1)
        #expect(try outcome(of: #require(running)) == .timedOut)
        push.command = [Array("/none".utf8)]
        #expect(throws: MetricsFailure.curl(.noSuchFileOrDirectory)) { try push.start(.complete) }
    }

    @Test(.timeLimit(.minutes(1))) func figuresThatAreAllUnknownChangeNothing() throws {
        let gateway = try PushGateway()
        let push = MetricsPush(gateway: gateway.url)
        #expect(push.push(.complete) == nil)
        let before = try gateway.samples("backup_", "offsite_")
        #expect(push.push(SyncFigures(job: "nfs-offsite-sync", destination: "synology")) == nil)
        #expect(try gateway.samples("backup_", "offsite_") == before)
    }

    /// The labels of the body and those of the path are the same to the gateway.
    @Test(
        .timeLimit(.minutes(1)),
        arguments: ["a/b", "..", "%2e%2e", "ü \"x\" \\ [1-3] {a,b}", "a\nb\tc\r", "@/etc/passwd"])
    func anyJobArrives(_ job: String) throws {
        let gateway = try PushGateway()
        var figures = SyncFigures(job: job, destination: "d")
        figures.driftPaths = 4
        #expect(MetricsPush(gateway: gateway.url).push(figures) == nil)
        let escaped = job.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        #expect(
            try gateway.samples("offsite_drift_paths")
                == ["offsite_drift_paths{destination=\"d\",instance=\"\",job=\"\(escaped)\"} 4"])
    }

    @Test(.timeLimit(.minutes(1))) func aRefusalSaysWhatTheGatewaySaid() throws {
        let gateway = try PushGateway()
        try gateway.curl(
            "--data-binary", "# TYPE offsite_drift_paths counter\noffsite_drift_paths 1\n",
            gateway.url + "/metrics/job/stranger")
        let failure = MetricsPush(gateway: gateway.url).push(.complete)
        guard case .refused(400, _)? = failure, let failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(
            failure.description.hasPrefix("metrics not pushed: the gateway answered 400: pushed metrics are invalid"))
        // All or nothing.
        #expect(try gateway.samples("offsite_pending_paths", "backup_").isEmpty)
    }

    /// Neither is a success, though curl ends with 0.
    @Test(.timeLimit(.minutes(1)), arguments: [("/elsewhere", 404), ("//a", 301)])
    func aWrongURLIsSaid(_ path: String, _ status: Int) throws {
        let gateway = try PushGateway()
        guard case .refused(status, _)? = MetricsPush(gateway: gateway.url + path).push(.complete) else {
            Issue.record("taken for a success")
            return
        }
    }

    @Test(.timeLimit(.minutes(1))) func aGatewayThatIsDownIsSaid() throws {
        let port = try DeadPort(listens: false)
        let failure = MetricsPush(gateway: port.url).push(.complete)
        guard case .unreachable(7, _)? = failure, let failure else {
            Issue.record("\(String(describing: failure))")
            return
        }
        #expect(failure.description.hasPrefix("metrics not pushed: curl: (7) Failed to connect to 127.0.0.1 port "))
        #expect(!failure.description.contains("000"))
    }

    @Test(.timeLimit(.minutes(1))) func aGatewayThatNeverAnswersIsGivenUp() throws {
        let port = try DeadPort(listens: true)
        var push = MetricsPush(gateway: port.url)
        push.limits.answering = 1
        guard case .unreachable(28, _)? = push.push(.complete) else {
            Issue.record("no timeout")
            return
        }
    }

    @Test(.timeLimit(.minutes(1))) func anythingButHTTPIsRefused() throws {
        for url in ["file:///etc/passwd", "gopher://127.0.0.1", "a b", ""] {
            guard case .unreachable? = MetricsPush(gateway: url).push(.complete) else {
                Issue.record("\(url)")
                continue
            }
        }
    }

    /// In the place of a curl that hangs or dies.
    private func command(_ script: String, in directory: MetricsDirectory) throws -> [[UInt8]] {
        try directory.write("curl", Array("\(script)\n".utf8))
        return [Array("/bin/sh".utf8), directory.bytes + Array("/curl".utf8)]
    }

    @Test(.timeLimit(.minutes(1))) func aCurlThatHangsIsKilled() throws {
        let directory = try MetricsDirectory()
        var push = MetricsPush(gateway: "http://127.0.0.1:1")
        push.limits.overall = 1
        // One that closed its output, and one that writes without end.
        for script in ["exec sleep 60 >/dev/null 2>&1", "exec yes"] {
            push.command = try command("echo $$ >'\(directory.path)/pid'\n" + script, in: directory)
            let time = seconds { #expect(push.push(.complete) == .timedOut) }
            #expect(time < 10)
            let pid = Int32(String(decoding: try directory.read("pid").dropLast(), as: UTF8.self)) ?? 0
            try #require(pid > 0)
            #expect(kill(pid, 0) == -1)
        }
    }

    @Test(.timeLimit(.minutes(1))) func aSignalToTheCallerEndsIt() throws {
        final class Stop: StopSignal {
            let wakeUp: WakeUp
            init() throws(Errno) { wakeUp = try WakeUp() }
            var descriptor: Int32 { wakeUp.descriptor.number }
            func isRequested() -> Bool { true }
        }
        let port = try DeadPort(listens: true)
        let stop = try Stop()
        stop.wakeUp.signal()
        let time = seconds { #expect(MetricsPush(gateway: port.url).push(.complete, stop: stop) == .interrupted) }
        #expect(time < 4)
    }

    @Test(.timeLimit(.minutes(1))) func whatIsSaidIsBoundedAndEscaped() throws {
        let directory = try MetricsDirectory()
        var push = MetricsPush(gateway: "http://127.0.0.1:1")
        push.command = try command("printf '\\033[2Jbad\\n\\303\\244\\\\\\n\\n500'", in: directory)
        #expect(
            push.push(.complete)?.description
                == "metrics not pushed: the gateway answered 500: \\033[2Jbad; \\303\\244\\134")
        push.command = try command("head -c 1000000 /dev/zero | tr '\\0' x; printf '\\n503'", in: directory)
        #expect(
            push.push(.complete) == .refused(status: 503, answer: [UInt8](repeating: UInt8(ascii: "x"), count: 512)))
        push.command = try command("echo abc; exit 2", in: directory)
        #expect(push.push(.complete) == .unreachable(status: 2, message: Array("abc\n".utf8)))
        push.command = try command("kill -9 $$", in: directory)
        #expect(push.push(.complete) == .killed(signal: 9))
        push.command = [directory.bytes + Array("/none".utf8)]
        #expect(push.push(.complete) == .curl(.noSuchFileOrDirectory))
    }

    /// Arguments can be read by everybody; a URL may hold a password.
    @Test(.timeLimit(.minutes(1))) func theURLIsNoArgument() throws {
        let directory = try MetricsDirectory()
        var push = MetricsPush(gateway: "http://user:secret@127.0.0.1:1")
        push.command = try command("echo \"$@\" >'\(directory.path)/arguments'; printf '\\n200'", in: directory)
        #expect(push.push(.complete) == nil)
        let arguments = String(decoding: try directory.read("arguments"), as: UTF8.self)
        #expect(arguments.hasPrefix("-q ") && arguments.contains("--max-time 8") && !arguments.contains("secret"))
    }
}
