import Glibc
import LinuxKernel
import Testing

extension TimedSystemTests {
    /// SIGTERM ends the worker within five seconds, whatever the other side does.
    @Suite struct SyncEndTests {
        @Test(
            .timeLimit(.minutes(1)), .enabled(if: NetworkPair.obstacle == nil, "\(NetworkPair.obstacle ?? "")"),
            .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func aCutNetworkIsLeftInTimeAndResumed() throws {
            let pair = try NetworkPair()
            let server = try SSHServer(address: pair.far.address, wrapper: pair.far.wrapper)
            let site = try SyncSite.slow(server) { $0.wrapper = pair.near.wrapper }
            let root = site.site.root
            try Disk.writeLarge(root / "large")
            let worker = try site.launch()
            try site.waitForHalf()
            try pair.cut()
            worker.signal(SIGTERM)
            let took = measured { #expect(worker.waitForExit(atMost: 10) == .exited(143), "\(site.errors)") }
            #expect(took < 5.5, "\(took)")
            try pair.restore()
            // The other side may not have noticed yet: its receiver holds the lock.
            try site.syncFully()
            try site.expectEqual()
            try site.expectNoLeftovers()
        }

        @Test(
            .timeLimit(.minutes(1)), .enabled(if: SSHServer.obstacle == nil, "\(SSHServer.obstacle ?? "")"))
        func aHungReceiverDoesNotHoldUpTheEnd() throws {
            let server = try SSHServer()
            let site = try SyncSite.slow(server)
            try Disk.writeLarge(site.site.root / "large")
            let worker = try site.launch()
            try site.waitForHalf()
            try server.server.freezeSessions()
            worker.signal(SIGTERM)
            let took = measured { #expect(worker.waitForExit(atMost: 10) == .exited(143), "\(site.errors)") }
            #expect(took < 5, "\(took)")
            server.server.thaw()
            #expect(try wait(atMost: 10) { try server.server.sessions().isEmpty })
            try site.syncFully()
            try site.expectEqual()
            try site.expectNoLeftovers()
        }
    }
}
