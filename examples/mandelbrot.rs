//! Paints the Mandelbrot set, row by row, into a PNG file.
//!
//! ```text
//! cargo run --release --example mandelbrot -- FILE.png
//! ```
//!
//! The rows differ wildly in cost: those through the middle of the set take a thousand steps a
//! pixel, those at the edge a few. `for_each` hands them out as threads get free, so that needs no
//! thought here. Each row is lent mutably to the one call that paints it; no lock, no copy.

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use image::{ExtendedColorType, ImageFormat, ImageResult};
use manyhands::{for_each, source};

const WIDTH: usize = 1200;
const HEIGHT: usize = 800;
const BYTES_PER_PIXEL: usize = 3;
const MAX_STEPS: u32 = 1000;

fn main() -> ExitCode {
    let mut arguments = env::args_os().skip(1);
    let (Some(path), None) = (arguments.next().map(PathBuf::from), arguments.next()) else {
        eprintln!("usage: mandelbrot FILE.png");
        return ExitCode::from(2);
    };
    match save(&path, &paint()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("mandelbrot: {path:?}: {error}");
            ExitCode::FAILURE
        }
    }
}

fn paint() -> Vec<u8> {
    let mut pixels = vec![0; WIDTH * HEIGHT * BYTES_PER_PIXEL];
    let rows = source::chunks_mut(&mut pixels, WIDTH * BYTES_PER_PIXEL).enumerate();
    for_each(rows, |(y, row)| paint_row(y, row));
    pixels
}

fn paint_row(y: usize, row: &mut [u8]) {
    for (x, pixel) in row.chunks_exact_mut(BYTES_PER_PIXEL).enumerate() {
        let (re, im) = point(x, y);
        pixel.copy_from_slice(&colour(escape_time(re, im)));
    }
}

/// The number that a pixel stands for: the picture shows -2.4 to 1.2 and -1.2 to 1.2.
fn point(x: usize, y: usize) -> (f64, f64) {
    let re = 3.6 * (x as f64 + 0.5) / WIDTH as f64 - 2.4;
    let im = 1.2 - 2.4 * (y as f64 + 0.5) / HEIGHT as f64;
    (re, im)
}

/// How many steps of z ↦ z² + c it takes to get away from the origin, or `None` for a number that
/// stays, and so belongs to the set. The fraction makes the bands of colour smooth.
fn escape_time(re: f64, im: f64) -> Option<f64> {
    let (mut x, mut y) = (0.0_f64, 0.0_f64);
    for step in 0..MAX_STEPS {
        let (xx, yy) = (x * x, y * y);
        if xx + yy > 256.0 {
            return Some(f64::from(step) - (xx + yy).log2().log2());
        }
        (x, y) = (xx - yy + re, 2.0 * x * y + im);
    }
    None
}

/// Black for the set; around it, three waves out of step.
fn colour(escape_time: Option<f64>) -> [u8; BYTES_PER_PIXEL] {
    let Some(time) = escape_time else {
        return [0; BYTES_PER_PIXEL];
    };
    let wave = |phase: f64| 127.5 - 127.5 * (0.12 * time + phase).cos();
    [0.0, 0.5, 1.0].map(|phase| wave(phase) as u8)
}

fn save(path: &Path, pixels: &[u8]) -> ImageResult<()> {
    let (width, height) = (WIDTH as u32, HEIGHT as u32);
    image::save_buffer_with_format(
        path,
        pixels,
        width,
        height,
        ExtendedColorType::Rgb8,
        ImageFormat::Png,
    )
}
