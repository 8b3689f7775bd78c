//! Streams of numbers from a server process to a client process. The lower bound for comparison is the same numbers of
//! eight bytes each, written to the same kind of socket in pieces of 64 KiB.

use std::time::Instant;

use anyhow::{Result, ensure};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};

use kaa_rpc_instructions::echo;

const PIECE: usize = 64 * 1024;

pub async fn serve_raw(socket: &str) -> Result<()> {
    let listener = UnixListener::bind(socket)?;
    loop {
        let (mut stream, _) = listener.accept().await?;
        let count = stream.read_u64().await?;
        let mut piece = Vec::with_capacity(PIECE + 8);
        for number in 0..count {
            piece.extend_from_slice(&number.to_le_bytes());
            if piece.len() >= PIECE {
                stream.write_all(&piece).await?;
                piece.clear();
            }
        }
        stream.write_all(&piece).await?;
    }
}

async fn read_raw(socket: &str, count: u64) -> Result<u64> {
    let mut stream = UnixStream::connect(socket).await?;
    stream.write_u64(count).await?;
    let mut piece = vec![0; PIECE];
    let (mut filled, mut sum) = (0, 0_u64);
    loop {
        let read = stream.read(&mut piece[filled..]).await?;
        filled += read;
        let (numbers, rest) = piece[..filled].as_chunks::<8>();
        sum = numbers.iter().fold(sum, |sum, number| sum.wrapping_add(u64::from_le_bytes(*number)));
        let left = rest.len();
        piece.copy_within(filled - left..filled, 0);
        filled = left;
        if read == 0 || sum == expected(count) {
            return Ok(sum);
        }
    }
}

fn expected(count: u64) -> u64 {
    (0..count).fold(0, u64::wrapping_add)
}

/// Receives this many numbers; prints the number, the seconds, and the CPU seconds of this process.
pub async fn take(implementation: &str, socket: &str, count: u64) -> Result<()> {
    while !std::path::Path::new(socket).exists() {
        tokio::task::yield_now().await;
    }
    let caller = if implementation == "raw" { None } else { Some(echo::connect(socket).await?) };
    let (cpu, start) = (crate::own_cpu(), Instant::now());
    let sum = match caller {
        None => read_raw(socket, count).await?,
        Some(caller) if implementation == "kaa" => caller.numbers(count).await?,
        Some(caller) => caller.sum(count).await?,
    };
    ensure!(sum == expected(count), "the sum is {sum} instead of {}", expected(count));
    println!("{count} {} {}", start.elapsed().as_secs_f64(), crate::own_cpu() - cpu);
    Ok(())
}

/// Runs interleaved rounds of all, and prints their medians.
pub fn compare(rounds: usize, count: u64) -> Result<()> {
    println!("streams of {count} u64 over a unix socket, {rounds} rounds, medians");
    println!("{:>14} {:>14} {:>12} {:>12}", "implementation", "items/s", "client ns", "server ns");
    let implementations = ["kaa", "kaa-upwards", "raw"];
    let mut samples = vec![Vec::new(); implementations.len()];
    for _ in 0..rounds {
        for (implementation, samples) in implementations.iter().zip(&mut samples) {
            let server = implementation.split('-').next().unwrap_or(implementation);
            samples.push(crate::measure_with(server, |socket| {
                vec!["take".to_owned(), (*implementation).to_owned(), socket.to_owned(), count.to_string()]
            })?);
        }
    }
    for (implementation, samples) in implementations.iter().zip(samples) {
        let sample = crate::median(samples);
        println!(
            "{implementation:>14} {:>14.0} {:>12.2} {:>12.2}",
            sample.calls_per_second,
            sample.client_cpu * 1e9,
            sample.server_cpu * 1e9
        );
    }
    Ok(())
}
