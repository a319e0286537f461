import Offsite
import TOMLKit

extension ValueForm<SyncTarget> {
    static var target: ValueForm {
        ValueForm(SyncTarget.expectation, parse: SyncTarget.init(parsing:), format: \.text)
    }
}

extension ValueForm<SSHHop> {
    static var hop: ValueForm { ValueForm(SSHHop.expectation, parse: SSHHop.init(parsing:), format: \.text) }
}

extension ValueForm<UInt16> {
    static var port: ValueForm {
        let expectation = "a port, from 1 to 65535"
        return ValueForm(
            expectation,
            read: { value, _ throws(ValueFlaws) in
                guard let port = value.int.flatMap(UInt16.init(exactly:)), port > 0 else {
                    throw ValueFlaws(expected: expectation)
                }
                return port
            },
            write: { "\($0)" })
    }
}

extension ValueForm<Int64> {
    /// Bytes a second, at least 1000.
    static var rate: ValueForm {
        ValueForm(ByteRateText.expectation, parse: ByteRateText.parse, format: ByteRateText.format)
            .holding("at least 1kB/s") { $0 >= 1_000 }
    }
}

extension ValueForm<[TimeWindow]> {
    static var windows: ValueForm {
        ValueForm<TimeWindow>(TimeWindowText.expectation, parse: TimeWindowText.parse, format: TimeWindowText.format)
            .list(#"an array of time windows such as ["22:00-07:00"]"#)
    }
}

extension ValueForm<Double> {
    static var percent: ValueForm {
        ValueForm(PercentText.expectation, parse: PercentText.parse, format: PercentText.format)
    }
}

extension ValueForm<Double> {
    /// A part, or nothing at all, which is all of it.
    static var percentOrOff: ValueForm {
        let expectation = #"a part such as "33%", or "off""#
        return ValueForm(
            expectation, parse: { $0 == "off" ? 100 : PercentText.parse($0) },
            format: { $0 >= 100 ? "off" : PercentText.format($0) })
    }
}

extension ValueForm<Amount> {
    /// A part of a disk, or bytes.
    static var shareOrSize: ValueForm {
        shareOr(.anySize.holding("0 or more") { $0 >= 0 }, #"a part such as "10%" or "# + ByteSizeText.expectation)
    }

    /// A part of all paths, or a number of them.
    static var shareOrNumber: ValueForm {
        // A number in quotes is refused: somebody may have forgotten the percent sign.
        let expectation = #"a part such as "30%" or a whole number of paths such as 1000"#
        let number = ValueForm<Int64>(
            expectation,
            read: { value, _ throws(ValueFlaws) in
                guard let number = value.int.map(Int64.init), number >= 0 else {
                    throw ValueFlaws(expected: expectation)
                }
                return number
            },
            write: { "\($0)" })
        return shareOr(number, expectation)
    }

    private static func shareOr(_ count: ValueForm<Int64>, _ expectation: String) -> ValueForm {
        ValueForm(
            expectation,
            read: { value, checking throws(ValueFlaws) in
                if let text = value.string, text.utf8.last == UInt8(ascii: "%") {
                    return .share(percent: try ValueForm<Double>.percent.read(value, checking))
                }
                do throws(ValueFlaws) {
                    return .count(try count.read(value, checking))
                } catch {
                    throw ValueFlaws(expected: expectation)
                }
            },
            write: { amount in
                switch amount {
                case .count(let number): count.write(number)
                case .share(let percent): ValueForm<Double>.percent.write(percent)
                }
            })
    }
}

extension ValueForm<String> {
    /// The URL of a server, to which paths are added.
    static var baseURL: ValueForm {
        ValueForm(BaseURLText.expectation, parse: BaseURLText.parse, format: { $0 })
    }

    /// The URL of a dead man's switch.
    static var pingURL: ValueForm {
        ValueForm(PingURLText.expectation, parse: PingURLText.parse, format: { $0 })
    }
}

extension ValueForm<[UInt8]> {
    /// What `/bin/sh -c` carries out.
    static var shellCommand: ValueForm {
        let expectation = #"a command for the shell such as "/usr/local/bin/tell-somebody""#
        return ValueForm(
            expectation,
            parse: { text in
                let bytes = Array(text.utf8)
                return bytes.contains(0) || bytes.allSatisfy { $0 <= UInt8(ascii: " ") } ? nil : bytes
            }, format: { String(decoding: $0, as: UTF8.self) })
    }
}
