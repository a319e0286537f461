import LinuxKernel
import Testing

@testable import Offsite

private func at(seconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: (86_400 + seconds) * 1_000_000_000) }

@Suite struct PingTargetTests {
    private func request(_ url: String, _ ping: Ping) -> String? {
        PingTarget(url: url).request(ping).map { request in
            let body = request.body.map { String(decoding: $0, as: UTF8.self) }
            return "\(body == nil ? "GET" : "POST") \(request.url) \(body ?? "")"
        }
    }

    @Test func `healthchecks has a path for each event`() {
        let url = "https://hc-ping.com/7e0e"
        #expect(request(url, .start) == "POST https://hc-ping.com/7e0e/start ")
        #expect(request(url, .success("3 paths", took: .seconds(2))) == "POST https://hc-ping.com/7e0e 3 paths")
        #expect(request(url + "/", .failure("no \"room\"\n")) == "POST https://hc-ping.com/7e0e/fail no \"room\"\n")
        #expect(
            request("https://hc/key/nas?create=1", .failure("x")) == "POST https://hc/key/nas/fail?create=1 x")
        // curl would send that file.
        #expect(request(url, .success("@/etc/shadow")) == "POST https://hc-ping.com/7e0e  @/etc/shadow")
        #expect(request(url, .failure(String(repeating: "é", count: 9_000)))?.utf8.count ?? 0 < 9_000)
    }

    @Test func `Uptime Kuma has a query and no start`() {
        let url = "https://kuma/api/push/tOkEn?status=up&msg=OK&ping="
        let base = "GET https://kuma/api/push/tOkEn?status="
        #expect(request(url, .start) == nil)
        #expect(request(url, .success("3 paths", took: .milliseconds(1_234))) == base + "up&msg=3%20paths&ping=1234 ")
        #expect(request(url, .failure("a&b=ü\n")) == base + "down&msg=a%26b%3D%C3%BC%0A&ping= ")
    }

    @Test func `what is secret is in no argument`() throws {
        let request = try #require(PingTarget(url: "https://hc-ping.com/secret").request(.failure("reason")))
        let arguments = request.arguments.map { String(decoding: $0, as: UTF8.self) }.joined(separator: " ")
        #expect(!arguments.contains("secret") && !arguments.contains("reason"))
        #expect(arguments.contains("--max-time 8") && arguments.contains("--retry 2"))
    }
}

@Suite struct PingPolicyTests {
    @Test func `a run that was told to begin is always told to end`() {
        var policy = PingPolicy()
        #expect(policy.begins(isCheck: false, now: at(seconds: 0)) == true)
        #expect(policy.ended(succeeded: true, now: at(seconds: 1)) == true)
        // Half a minute later: neither.
        #expect(policy.begins(isCheck: false, now: at(seconds: 30)) == false)
        #expect(policy.ended(succeeded: true, now: at(seconds: 31)) == false)
        #expect(policy.begins(isCheck: false, now: at(seconds: 61)) == true)
        #expect(policy.ended(succeeded: true, now: at(seconds: 62)) == true)
    }

    @Test func `a change is told at once`() {
        var policy = PingPolicy()
        #expect(policy.ended(succeeded: true, now: at(seconds: 0)) == true)
        #expect(policy.ended(succeeded: false, now: at(seconds: 1)) == true)
        #expect(policy.ended(succeeded: false, now: at(seconds: 2)) == false)
        #expect(policy.ended(succeeded: true, now: at(seconds: 3)) == true)
    }

    @Test func `an idle check has no start, and its success is told`() {
        var policy = PingPolicy()
        #expect(policy.begins(isCheck: true, now: at(seconds: 0)) == false)
        #expect(policy.ended(succeeded: true, now: at(seconds: 1)) == true)
        #expect(policy.begins(isCheck: true, now: at(seconds: 3_600)) == false)
        #expect(policy.ended(succeeded: true, now: at(seconds: 3_601)) == true)
    }

    @Test func `a first copy of days is told to begin each hour`() {
        var policy = PingPolicy()
        #expect(policy.goesOn(now: at(seconds: 0)) == false)
        #expect(policy.begins(isCheck: false, now: at(seconds: 0)) == true)
        var told = 0
        for second in stride(from: Int64(0), to: 3 * 86_400, by: 60) where policy.goesOn(now: at(seconds: second)) {
            told += 1
        }
        #expect(told == 71)
        #expect(policy.ended(succeeded: true, now: at(seconds: 3 * 86_400)) == true)
        #expect(policy.goesOn(now: at(seconds: 9 * 86_400)) == false)
    }
}

@Suite struct PingSenderTests {
    @Test(.timeLimit(.minutes(1))) func `a server that does not answer holds nothing up`() throws {
        let dead = try DeadPort(listens: true)
        let sender = PingSender(PingTarget(url: dead.url + "/secret"))
        let start = MonotonicTime.now
        sender.send(.start)
        #expect(sender.poll() == nil)
        sender.send(.failure("x"))
        #expect(sender.poll() == nil && !sender.isIdle)
        #expect(MonotonicTime.now - start < 2_000_000_000)
    }

    @Test(.timeLimit(.minutes(1))) func `a server that is not there is told`() throws {
        let sender = PingSender(PingTarget(url: try DeadPort(listens: false).url))
        sender.send(.start)
        // The result takes the place of a start that was not sent yet.
        sender.send(.success("x"))
        var failures: [String] = []
        while !sender.isIdle {
            if case .failed(let failure)? = sender.poll() {
                failures.append(failure.text("ping not delivered", server: "the server", key: "ping_url"))
            }
            KernelThread.sleep(milliseconds: 10)
        }
        #expect(failures.count == 1 && failures[0].hasPrefix("ping not delivered: curl: (7) "), "\(failures)")
    }
}

@Suite struct HookRunTests {
    private func ending(_ command: String, seconds: Int? = nil) throws -> HookRun.Ending {
        let run = try HookRun(Array(command.utf8), environment: [("CHANGES_X", "a b\0")], seconds: seconds)
        while true {
            if let ending = run.poll() { return ending }
            KernelThread.sleep(milliseconds: 5)
        }
    }

    @Test(.timeLimit(.minutes(1))) func `commands have the environment and a limit`() throws {
        #expect(try ending("test \"$CHANGES_X\" = 'a b'") == .succeeded)
        #expect(try ending("exit 3") == .failed("it ended with 3"))
        let start = MonotonicTime.now
        // Also what ignores SIGTERM, and what it started.
        #expect(
            try ending("trap '' TERM; sleep 30 & sleep 30", seconds: 1) == .failed("it took too long and was ended"))
        #expect(MonotonicTime.now - start < 10_000_000_000)

        // One that is given up takes along what it started.
        let pipe = try Pipe()
        let reader = pipe.reader
        let writer = pipe.writer
        var run: HookRun? = try HookRun(
            Array("exec >/proc/\(ProcessContext.identifier)/fd/\(writer.number); sleep 30 & sleep 30".utf8),
            environment: [])
        KernelThread.sleep(milliseconds: 300)
        writer.close()
        #expect(run?.poll() == nil)
        run = nil
        // The end of the pipe comes when all of them are gone.
        #expect(try reader.readToEnd().isEmpty)
        #expect(MonotonicTime.now - start < 20_000_000_000)
    }
}
