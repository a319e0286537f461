import Glibc
import LinuxKernel
import Testing

extension SystemTests {
    /// Whoever can reach the control socket, and whatever is sent there: the tracker is not delayed.
    @Suite struct ControlFuzzTests {
        /// A connection that can be kept.
        private final class Client {
            let connection: PacketConnection

            init(_ state: Path) throws {
                connection = try PacketConnection.connect(
                    directory: state.bytes, name: Array("control.sock".utf8), timeout: .seconds(10))
                try connection.setTimeout(.seconds(10))
            }
        }

        @Test(.timeLimit(.minutes(5))) func garbageDelaysNothing() throws {
            for seed in Scale.seeds(1, full: 5) { try attack(seed) }
        }

        private func attack(_ seed: UInt64) throws {
            print("garbageDelaysNothing: CHANGES_TEST_SEED=\(seed)")
            var random = SplitMix64(seed: seed)
            let site = try Site()
            try site.start()
            let state = site.tracker.settings.state
            // They say nothing until they are let go.
            let silent = try (0..<10).map { _ in try Client(state) }
            for round in 0..<Scale.pick(400, full: 5_000) {
                let client = try Client(state)
                let packet = packet(&random)
                if !packet.isEmpty { try? client.connection.send(packet) }
                switch Int.random(in: 0..<4, using: &random) {
                case 0: break
                case 1:
                    for _ in 0..<5 { try? client.connection.send(packet + [0x61]) }
                default:
                    if packet.isEmpty { break }
                    guard case .packet(let reply)? = try? client.connection.receive(atMost: 70_000) else {
                        Issue.record("seed \(seed), round \(round): no reply to \(packet.prefix(100))")
                        continue
                    }
                    let isRequest = ["settle", "settle\n", "status", "status\n"].contains {
                        packet.elementsEqual($0.utf8)
                    }
                    #expect(reply.starts(with: (isRequest ? "ok" : "error ").utf8), "seed \(seed), round \(round)")
                }
                if round % 100 == 0 {
                    let name = site.root / Path("f\(round)")
                    try Disk.write(name)
                    let seconds = try measured {
                        let isLogged = try wait(atMost: 10, every: 2) {
                            try site.log.refresh()
                            return site.log.lines.contains(name)
                        }
                        #expect(isLogged, "seed \(seed)")
                    }
                    #expect(seconds < 1.5, "seed \(seed), round \(round)")
                }
            }
            #expect(silent.count == 10)
            let status = try site.changes(["status"])
            #expect(status.isSuccess, "seed \(seed): \(status)")
            try site.expectComplete()
            site.tracker.stop()
        }

        private func packet(_ random: inout SplitMix64) -> [UInt8] {
            func bytes(_ count: Int) -> [UInt8] {
                (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            }
            switch Int.random(in: 0..<8, using: &random) {
            case 0: return bytes(Int.random(in: 0...300, using: &random))
            case 1: return [UInt8](repeating: 0x73, count: Int.random(in: 16_000...70_000, using: &random))
            case 2: return Array("accept /".utf8) + bytes(Int.random(in: 0...5_000, using: &random))
            case 3: return Array("accept ".utf8)
            case 4: return Array("status ".utf8) + bytes(3)
            case 5: return Array("settle\n".utf8)
            case 6: return Array("status".utf8)
            default: return Array("accept /\\777".utf8)
            }
        }
    }
}
